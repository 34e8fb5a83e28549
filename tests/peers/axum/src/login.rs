//! Where sessions begin.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Map, Value};
use tower_sessions::Session;

/// Keeps what it is given: whoever comes has been recognised.
///
/// # Errors
/// With 503, when the storage does not take it.
pub(crate) async fn log_in(
    session: Session,
    Json(attributes): Json<Map<String, Value>>,
) -> Result<(), StatusCode> {
    for (name, value) in attributes {
        session
            .insert_value(&name, value)
            .await
            .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    }
    Ok(())
}
