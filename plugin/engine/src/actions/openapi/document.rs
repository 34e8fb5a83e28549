//! The document itself. `docs/sessions-api.md` says the same to people.

use serde_json::{Map, Value, json};

use super::OpenApiConfig;

pub(super) fn of(config: &OpenApiConfig) -> Value {
    let mut paths = Map::new();
    let mut add = |path: Option<String>, item: Value| {
        if let Some(path) = path {
            paths.insert(path, item);
        }
    };
    let one = config
        .sessions
        .as_ref()
        .map(|list| format!("{list}/{{id}}"));
    add(config.login.clone(), login());
    add(config.logout.clone(), logout());
    add(config.refresh.clone(), refresh());
    add(config.sessions.clone(), sessions());
    add(one, session());
    add(config.info.clone(), info());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "session.so",
            "description": "What users know and end of their own sessions.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": config.cookie },
            },
            "schemas": schemas(),
        },
    })
}

fn sessions() -> Value {
    let number = |name: &str, schema: Value| json!({ "name": name, "in": "query", "required": false, "schema": schema });
    json!({
        "get": {
            "operationId": "listSessions",
            "summary": "The live sessions of the user, the youngest login first",
            "security": secured(),
            "parameters": [
                number("limit", json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 })),
                number("offset", json!({ "type": "integer", "minimum": 0, "default": 0 })),
            ],
            "responses": {
                "200": answer("The list", &reference("Sessions")),
                "400": answer("`limit` or `offset` is no number in its range", &reference("Error")),
                "401": nobody(),
                "503": outage(),
            },
        },
        "post": {
            "operationId": "endOtherSessionsByForm",
            "summary": "As DELETE, from a form",
            "description": "For pages that work without scripts. Believed from pages of this origin only.",
            "security": secured(),
            "requestBody": form(),
            "responses": form_answers(),
        },
        "delete": {
            "operationId": "endOtherSessions",
            "summary": "Ends all sessions of the user but the current one",
            "security": secured(),
            "responses": {
                "200": answer("How many have ended", &reference("Ended")),
                "401": nobody(),
                "403": cross_origin(),
                "503": outage(),
            },
        },
    })
}

fn session() -> Value {
    let parameters = json!([{
        "name": "id",
        "in": "path",
        "required": true,
        "description": "The handle that the list shows",
        "schema": { "type": "string", "pattern": "^[0-9a-f]{16}$" },
    }]);
    json!({
        "get": {
            "operationId": "getSession",
            "summary": "One session of the user",
            "security": secured(),
            "parameters": parameters,
            "responses": {
                "200": answer("The session", &reference("Session")),
                "400": answer("`limit` or `offset` of the query is no number in its range", &reference("Error")),
                "401": nobody(),
                "404": answer("The user has no such session", &reference("Error")),
                "503": outage(),
            },
        },
        "post": {
            "operationId": "endSessionByForm",
            "summary": "As DELETE, from a form",
            "description": "For pages that work without scripts. Believed from pages of this origin only.",
            "security": secured(),
            "parameters": parameters,
            "requestBody": form(),
            "responses": form_answers(),
        },
        "delete": {
            "operationId": "endSession",
            "summary": "Ends one session of the user; the current one is a logout",
            "security": secured(),
            "parameters": parameters,
            "responses": {
                "204": { "description": "It has ended" },
                "401": nobody(),
                "403": cross_origin(),
                "404": answer("The user has no such session", &reference("Error")),
                "503": outage(),
            },
        },
    })
}

fn form() -> Value {
    let method = json!({ "type": "string", "const": "DELETE" });
    json!({
        "required": true,
        "content": { "application/x-www-form-urlencoded": { "schema": {
            "type": "object",
            "required": ["_method"],
            "properties": { "_method": method },
        } } },
    })
}

fn nobody() -> Value {
    answer("Nobody is logged in", &reference("Error"))
}

fn form_answers() -> Value {
    json!({
        "303": { "description": "It is done; the list is at `Location`" },
        "401": {
            "description": "Nobody is logged in",
            "content": { "text/html": { "schema": { "type": "string" } } },
        },
        "403": cross_origin(),
        "405": { "description": "The form asks for something else" },
        "413": plain("More than the field there is"),
        "503": outage(),
    })
}

fn info() -> Value {
    json!({ "get": {
        "operationId": "getInfo",
        "summary": "The user, as far as the gateway tells, and how long the session lives. No use of the session",
        "security": secured(),
        "responses": {
            "200": answer("What is configured", &reference("Info")),
            "401": nobody(),
            "403": answer("Nobody is logged in, where `unauthenticatedStatus` says so", &reference("Error")),
            "404": answer("Nobody is logged in, where `unauthenticatedStatus` says so", &reference("Error")),
            "407": answer("Nobody is logged in, where `unauthenticatedStatus` says so", &reference("Error")),
            "503": outage(),
        },
    } })
}

fn refresh() -> Value {
    json!({ "post": {
        "operationId": "refreshSession",
        "summary": "Renews the session: a new id, a fresh life, and new tokens where it holds any",
        "description": "A program says `Content-Type: application/json`, or the `Origin` that it asks.",
        "security": secured(),
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": {} } },
        },
        "responses": {
            "200": answer("When it ends now", &reference("Life")),
            "401": answer("Nobody is logged in, or not any more", &reference("Error")),
            "403": cross_origin(),
            "409": answer("The id came in the URL, where no new one can be told", &reference("Error")),
            "503": outage(),
        },
    } })
}

fn login() -> Value {
    let text = |most: u32| json!({ "type": "string", "minLength": 1, "maxLength": most, "pattern": "^[ -~]+$" });
    let page = json!({
        "operationId": "showLogin",
        "summary": "The page to log in with, for browsers",
        "responses": {
            "200": {
                "description": "The page",
                "content": { "text/html": { "schema": { "type": "string" } } },
            },
            "303": { "description": "To the provider, where there is nothing to choose" },
            "405": { "description": "There is no page" },
            "503": outage(),
        },
    });
    json!({ "get": page, "post": {
        "operationId": "logIn",
        "summary": "Logs a user in",
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": {
                "type": "object",
                "required": ["username", "password"],
                "properties": {
                    "username": text(64),
                    "password": text(128),
                    "remember_me": { "type": "boolean", "default": false },
                },
                "example": { "username": "anna", "password": "correct horse" },
            } } },
        },
        "responses": {
            "200": answer("The user", &json!({ "type": "object" })),
            "400": plain("No user name and password can be read"),
            "401": answer("The user name or the password is wrong", &reference("Error")),
            "403": cross_origin(),
            "413": plain("More than anybody types"),
            "429": answer("Too many attempts", &reference("Error")),
            "503": {
                "description": "Too busy, or the storage does not answer: try again",
                "content": {
                    "application/json": { "schema": reference("Error") },
                    "text/plain": { "schema": { "type": "string" } },
                },
            },
        },
    } })
}

fn logout() -> Value {
    let flag =
        |meaning: &str| json!({ "type": "boolean", "default": false, "description": meaning });
    let asked = json!({
        "type": "object",
        "properties": {
            "others": flag("The other sessions of the user"),
            "everywhere": flag("All sessions of the user"),
        },
    });
    json!({ "post": {
        "operationId": "logOut",
        "summary": "Ends this session, the others of its user, or all of them",
        "description": "A program says `Content-Type: application/json`. What says nothing else ends this session; \
                        a visitor who is nobody is told that nothing has ended.",
        "security": [{}, { "session": [] }],
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": asked } },
        },
        "responses": {
            "200": answer("How many have ended", &reference("LoggedOut")),
            "400": plain("Something else is asked for"),
            "403": cross_origin(),
            "413": plain("More than there is to say"),
            "503": outage(),
        },
    } })
}

fn schemas() -> Value {
    let time = json!({ "type": "string", "format": "date-time" });
    let object = |properties: Value| {
        let names: Vec<_> = properties
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect();
        json!({ "type": "object", "required": names, "properties": properties })
    };
    let count = json!({ "type": "integer", "minimum": 0 });
    let life = object(json!({ "createdAt": time, "expiresAt": time, "expiresIn": count }));
    json!({
        "Session": object(json!({
            "id": { "type": "string", "pattern": "^[0-9a-f]{16}$" },
            "current": { "type": "boolean" },
            "createdAt": time,
            "lastSeenAt": time,
            "expiresAt": time,
            "ip": { "type": ["string", "null"] },
            "userAgent": { "type": ["string", "null"], "maxLength": 255 },
        })),
        "Sessions": object(json!({
            "sessions": { "type": "array", "maxItems": 100, "items": reference("Session") },
            "total": count,
        })),
        "Ended": object(json!({ "ended": count })),
        "LoggedOut": {
            "type": "object",
            "required": ["ended"],
            "properties": {
                "ended": count,
                "logoutUrl": {
                    "type": "string",
                    "format": "uri",
                    "description": "Where the browser is to go so that the login at the provider ends as well",
                },
            },
        },
        "Life": life,
        "Info": {
            "type": "object",
            "required": ["session"],
            "properties": { "session": reference("Life") },
        },
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": { "type": "string", "description": "A reason that does not change" },
            },
        },
    })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn answer(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

/// What the gateway itself answers.
fn plain(description: &str) -> Value {
    json!({ "description": description, "content": { "text/plain": { "schema": { "type": "string" } } } })
}

fn cross_origin() -> Value {
    plain("Asked by a page of another site")
}

fn outage() -> Value {
    plain("The storage does not answer; `Retry-After` says when to ask again")
}

fn secured() -> Value {
    json!([{ "session": [] }])
}
