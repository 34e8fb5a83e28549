//! What an operator may say about health checks.

use std::ops::RangeInclusive;

use abi::config::{ConfigDuration, Faults};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::upstream::{Check, Streak};

/// How endpoints are asked whether they are well. One thread of the gateway asks for all.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct HealthCheckConfig {
    /// What is asked for, below the base path of the endpoint.
    path: String,
    /// How often. A tenth more or less, so that gateways do not ask together.
    interval: ConfigDuration,
    /// How long an answer may take, connecting included.
    timeout: ConfigDuration,
    /// Good answers in a row after which an endpoint is up.
    #[schemars(range(min = 1, max = 100))]
    healthy_after: u32,
    /// Bad ones in a row after which it is down. The very first one counts at once.
    #[schemars(range(min = 1, max = 100))]
    unhealthy_after: u32,
    /// Good answers: statuses, and ranges such as `200-399`.
    statuses: Vec<StatusConfig>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum StatusConfig {
    One(u16),
    Range(String),
}

impl Default for HealthCheckConfig {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            interval: ConfigDuration::of_secs(5),
            timeout: ConfigDuration::of_secs(2),
            healthy_after: 2,
            unhealthy_after: 3,
            statuses: vec![StatusConfig::Range("200-399".to_owned())],
        }
    }
}

impl HealthCheckConfig {
    /// # Errors
    /// With everything that is wrong, by key.
    pub(super) fn check(&self) -> Result<Check, Faults> {
        let mut faults = Faults::default();
        let path = match self.path.parse() {
            Ok(path) if self.path.starts_with('/') => Some(path),
            _ => {
                let found = &self.path;
                faults.push(
                    "path",
                    format!("expected a path that begins with `/`, found `{found}`"),
                );
                None
            }
        };
        if self.timeout.get() > self.interval.get() {
            let (timeout, interval) = (self.timeout, self.interval);
            faults.push(
                "timeout",
                format!("expected no more than the interval, {interval}; it is {timeout}"),
            );
        }
        if self.statuses.is_empty() {
            faults.push("statuses", "expected at least one status");
        }
        let ranges = self
            .statuses
            .iter()
            .enumerate()
            .filter_map(|(index, status)| {
                let range = status.range();
                if range.is_none() {
                    let message =
                        "expected a status, or a range such as `200-399`, from 100 to 599";
                    faults.push(format!("statuses[{index}]"), message);
                }
                range
            });
        let statuses = ranges.collect();
        match path.filter(|_| faults.is_empty()) {
            None => Err(faults),
            Some(path) => Ok(Check {
                path,
                interval: self.interval.get(),
                timeout: self.timeout.get(),
                streak: Streak {
                    healthy_after: self.healthy_after,
                    unhealthy_after: self.unhealthy_after,
                },
                statuses,
            }),
        }
    }
}

impl StatusConfig {
    fn range(&self) -> Option<RangeInclusive<u16>> {
        let range = match self {
            Self::One(status) => *status..=*status,
            Self::Range(text) => {
                let (first, last) = text.split_once('-')?;
                first.trim().parse().ok()?..=last.trim().parse().ok()?
            }
        };
        let is_fine = *range.start() >= 100 && range.start() <= range.end() && *range.end() <= 599;
        is_fine.then_some(range)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_fault_has_its_key() {
        let config = json!({ "path": "up", "interval": "1s", "timeout": "2s", "statuses": [99, "300-200", "2xx", 204] });
        let config: HealthCheckConfig = serde_json::from_value(config).unwrap();

        let faults = config.check().unwrap_err();

        let keys: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(
            keys,
            [
                "path",
                "timeout",
                "statuses[0]",
                "statuses[1]",
                "statuses[2]"
            ]
        );
        assert_eq!(
            faults.iter().nth(1).unwrap().message,
            "expected no more than the interval, 1s; it is 2s"
        );
    }

    #[test]
    fn defaults_are_fine_and_take_redirects_for_an_answer() {
        let check = HealthCheckConfig::default().check().unwrap();

        assert_eq!(check.statuses.to_vec(), [200..=399]);
    }
}
