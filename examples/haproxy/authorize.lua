-- Asks the gateway about a request, with what HAProxy brings along and nothing else.
--
--     http-request lua.authorize http://127.0.0.1:8090/authorize X-User-Id,Authorization
--     http-response lua.session_cookies
--
-- The second argument has the mapped headers: they are the gateway's alone, whatever the client sent.

local TIMEOUT = 5000 -- milliseconds, for the answer of the gateway

-- Those of the connection, and those by which the original request is told.
local NOT_ASKED = {
    ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true, ["keep-alive"] = true,
    ["proxy-connection"] = true, ["te"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
    ["forwarded"] = true, ["x-forwarded-for"] = true, ["x-forwarded-host"] = true, ["x-forwarded-method"] = true,
    ["x-forwarded-proto"] = true, ["x-forwarded-uri"] = true, ["x-original-method"] = true,
    ["x-original-uri"] = true, ["x-original-url"] = true,
}

-- What a client has to see of an answer that is no.
local TOLD = { "cache-control", "content-type", "location", "retry-after", "set-cookie", "vary", "www-authenticate" }

-- The values of a header, whether the list begins at 0 or at 1.
local function values(headers, name)
    local found = {}
    for _, value in pairs(headers and headers[name] or {}) do
        found[#found + 1] = value
    end
    return found
end

local function question(txn)
    local headers = {}
    local sent = txn.http:req_get_headers()
    for name in pairs(sent) do
        if not NOT_ASKED[name] then
            headers[name] = values(sent, name)
        end
    end
    headers["x-forwarded-for"] = { txn.f:src() }
    headers["x-forwarded-host"] = { values(sent, "host")[1] or "" }
    headers["x-forwarded-method"] = { txn.f:method() }
    headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
    headers["x-forwarded-uri"] = { txn.f:pathq() }
    return headers
end

local function refuse(txn, status, answer)
    local reply = txn:reply({ status = status })
    for _, name in ipairs(TOLD) do
        for _, value in ipairs(values(answer and answer.headers, name)) do
            reply:add_header(name, value)
        end
    end
    if answer and answer.body then
        reply:set_body(answer.body)
    end
    txn:done(reply)
end

core.register_action("authorize", { "http-req" }, function(txn, url, mapped)
    local answer = core.httpclient():get({ url = url, headers = question(txn), timeout = TIMEOUT })
    if not answer or not answer.status or answer.status < 200 then
        core.Warning("authorize: the gateway does not answer")
        return refuse(txn, 503, nil)
    end
    if answer.status > 299 then
        return refuse(txn, answer.status, answer)
    end
    for name in mapped:gmatch("[^,]+") do
        txn.http:req_del_header(name)
        for _, value in ipairs(values(answer.headers, name:lower())) do
            txn.http:req_add_header(name, value)
        end
    end
    txn:set_priv(values(answer.headers, "set-cookie"))
end, 2)

-- A renewed session has a new cookie.
core.register_action("session_cookies", { "http-res" }, function(txn)
    for _, cookie in ipairs(txn:get_priv() or {}) do
        txn.http:res_add_header("set-cookie", cookie)
    end
end, 0)
