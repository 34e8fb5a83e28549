-- Sessions at nginx, with lua-nginx-redis and lua-cjson: a session is a JSON object at `session:<id>`.
--
-- As somebody would write it who cares about speed: pooled connections, one GET for each request, and only `log_in`
-- writes.

local cjson = require "cjson.safe"
local redis = require "nginx.redis"

local sessions = {}
sessions.__index = sessions

local LIFE_SECONDS = 7200
local POOL = { idle_ms = 60000, connections = 64 }
local TIMEOUT_MS = 1000

-- The sessions at a Redis, such as `unix:/run/redis.sock`.
function sessions.at(address)
    return setmetatable({ address = address }, sessions)
end

-- Runs one command, and answers with 503 in place of the page when Redis does not.
function sessions:command(name, ...)
    local connection = redis:new()
    connection:set_timeout(TIMEOUT_MS)
    local reply, failure = connection:connect(self.address)
    if reply then
        reply, failure = connection[name](connection, ...)
    end
    if not reply then
        ngx.log(ngx.ERR, "redis: ", failure)
        return ngx.exit(ngx.HTTP_SERVICE_UNAVAILABLE)
    end
    connection:set_keepalive(POOL.idle_ms, POOL.connections)
    return reply
end

-- 256 bits from the operating system, base64url.
local function new_id()
    local urandom = assert(io.open("/dev/urandom", "rb"))
    local bytes = urandom:read(32)
    urandom:close()
    return (ngx.encode_base64(bytes, true):gsub("%+", "-"):gsub("/", "_"))
end

-- Keeps what it is given: whoever comes has been recognised.
function sessions:log_in()
    ngx.req.read_body()
    local id = new_id()
    self:command("set", "session:" .. id, ngx.req.get_body_data(), "EX", LIFE_SECONDS)
    ngx.header["Set-Cookie"] = "session_id=" .. id .. "; Path=/; HttpOnly; SameSite=Lax"
end

-- Says to the upstream who comes. What the client says of it is replaced, or goes.
function sessions:identify()
    local id = ngx.var.cookie_session_id
    local row = id and self:command("get", "session:" .. id)
    local session = type(row) == "string" and cjson.decode(row) or {}
    ngx.req.set_header("X-User-Id", session.user_id)
    ngx.req.set_header("Authorization", session.authorization)
end

return sessions
