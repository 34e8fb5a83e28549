//! Sessions at a proxy, with axum, tower-sessions and Redis: `axum-proxy <upstream> <redis socket>`.
//!
//! As somebody would write it who has these crates and cares about speed: one event loop for one processor, one pooled
//! client to the upstream, bodies streamed both ways, a session loaded once for each request and written only by
//! `/login`. Like axum's own example of a reverse proxy it leaves headers of the connection alone.
#![forbid(unsafe_code)]

mod login;
mod proxy;

use std::env;
use std::error::Error;

use axum::Router;
use axum::routing::post;
use axum::serve::ListenerExt;
use fred::prelude::{ClientLike, Config, Pool, ServerConfig};
use tokio::net::TcpListener;
use tower_sessions::SessionManagerLayer;
use tower_sessions_redis_store::RedisStore;

use crate::proxy::Upstream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(upstream), Some(redis)) = (arguments.next(), arguments.next()) else {
        return Err("usage: axum-proxy <host:port of the upstream> <redis socket>".into());
    };
    let sessions = SessionManagerLayer::new(RedisStore::new(connect(&redis).await?))
        .with_name("session_id")
        .with_secure(false);
    let app = Router::new()
        .route("/login", post(login::log_in))
        .fallback(proxy::forward)
        .with_state(Upstream::new(&upstream)?)
        .layer(sessions);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    // An answer is never held back for the client's acknowledgement of the last one.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, app).await?)
}

/// One connection, over which the commands of concurrent requests are pipelined. The six of the store's own example
/// spread them thinner and cost more processor time, as a scheduler of threads would.
async fn connect(socket: &str) -> Result<Pool, fred::error::Error> {
    let config = Config {
        server: ServerConfig::new_unix_socket(socket),
        ..Config::default()
    };
    let pool = Pool::new(config, None, None, None, CONNECTIONS)?;
    pool.init().await?;
    Ok(pool)
}

const CONNECTIONS: usize = 1;
