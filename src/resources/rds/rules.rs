//! What AWS demands of a database's names, logs and capacity.

use std::collections::BTreeSet;

/// A name no earlier database of this identifier can have used, and the same for every try to delete this one.
pub(super) fn snapshot_name(database: &str, resource_id: &str) -> String {
    let unique = resource_id.rsplit('-').next().unwrap_or(resource_id);
    format!("{database}-final-{}", unique.to_lowercase())
}

/// What RDS is to do with a new database once its version's standard support has ended. Its own default takes it on, and
/// bills for it: API reference, CreateDBCluster and CreateDBInstance, `EngineLifecycleSupport`.
pub(super) fn life_after_support(extended: bool) -> &'static str {
    match extended {
        true => "open-source-rds-extended-support",
        false => "open-source-rds-extended-support-disabled",
    }
}

/// Refuses what is not one word that the engine takes as a name.
pub(super) fn check_word(field: &str, value: &str, longest: usize, also: &str) -> std::result::Result<(), String> {
    let allowed = value.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c));
    if allowed && value.starts_with(|c: char| c.is_ascii_alphabetic()) && value.len() <= longest {
        return Ok(());
    }
    let also = if also.is_empty() { String::new() } else { format!(" and {also}") };
    Err(format!("{field} is {value:?}; AWS allows 1-{longest} letters, digits{also}, a letter first"))
}

/// Refuses a master user's name that the engine keeps for itself, or cannot have.
pub(super) fn check_user(name: &str) -> std::result::Result<(), String> {
    match name {
        "admin" | "rdsadmin" => Err(format!("master_username is {name:?}, which the engine keeps for itself")),
        _ => check_word("master_username", name, 16, ""),
    }
}

/// Refuses logs that the engine does not write.
pub(super) fn check_logs(engine: &str, logs: &BTreeSet<String>) -> std::result::Result<(), String> {
    let known = match engine {
        "aurora-postgresql" => ["iam-db-auth-error", "instance", "postgresql"],
        "postgres" => ["iam-db-auth-error", "postgresql", "upgrade"],
        _ => return Ok(()),
    };
    match logs.iter().find(|log| !known.contains(&log.as_str())) {
        Some(log) => Err(format!("log_exports has {log:?}; {engine} allows {}", known.join(", "))),
        None => Ok(()),
    }
}

/// Refuses capacities that AWS does not offer.
pub(super) fn check_acu(min: f64, max: f64) -> std::result::Result<(), String> {
    let half_steps = |acu: f64| (acu * 2.0).fract() == 0.0;
    if half_steps(min) && half_steps(max) && (0.0..=256.0).contains(&min) && (1.0..=256.0).contains(&max) && min <= max
    {
        return Ok(());
    }
    Err(format!("min_acu is {min} and max_acu {max}; AWS allows 0-256 and 1-256 in steps of 0.5, the first not larger"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_goes_in_half_steps() {
        assert!(check_acu(0.5, 4.0).is_ok());
        assert!(check_acu(0.0, 1.0).is_ok());
        for (min, max) in [(0.25, 4.0), (4.0, 2.0), (0.5, 0.5), (0.5, 300.0)] {
            assert!(check_acu(min, max).is_err(), "{min} {max}");
        }
    }

    #[test]
    fn a_final_snapshot_is_named_after_this_very_database() {
        assert_eq!(snapshot_name("pipeline-prod", "db-CD34"), "pipeline-prod-final-cd34");
        assert_eq!(snapshot_name("student-aurora-prod", "cluster-AB12"), "student-aurora-prod-final-ab12");
    }
}
