//! What `wrk` is told to send.

/// A script that asks for the page with one cookie after the other.
pub(super) fn script(cookies: &[&str]) -> String {
    let cookies = cookies.join("\n");
    format!(
        "local cookies = [[\n{cookies}\n]]\n\
         local requests, turn = {{}}, 0\n\
         function init()\n  \
         for cookie in cookies:gmatch('[^\\n]+') do\n    \
         wrk.headers['Cookie'] = cookie\n    \
         requests[#requests + 1] = wrk.format('GET', '/page')\n  \
         end\n\
         end\n\
         function request()\n  \
         turn = turn % #requests + 1\n  \
         return requests[turn]\n\
         end\n"
    )
}
