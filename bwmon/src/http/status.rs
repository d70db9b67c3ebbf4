//! `GET /api/v1/status`, defined once for those who write and those who read it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::view::Status;

/// The process, its configuration, and how the loop does.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatusReport {
    /// Of bwmon.
    pub version: String,
    /// The machine it runs on.
    pub host: String,
    /// Since the start.
    pub uptime_seconds: u64,
    /// RFC 3339 with offset.
    #[schema(format = DateTime)]
    pub started_at: String,
    /// Whether the one who asks may change anything: over the Unix socket, or where a token is set.
    #[serde(default)]
    pub can_change: bool,
    /// The latest part, beside these.
    #[serde(flatten)]
    pub status: Status,
    /// In force, without secrets.
    #[schema(value_type = Object)]
    pub configuration: Arc<serde_json::Value>,
}
