//! Flags that stand in for a setting obey the setting's own rule.

use serde_json::Value;

use super::rules;

/// The whole number that a flag gives in place of a setting, as `engine.parallelism`.
///
/// # Errors
/// What the setting may be, where this is none of it.
pub fn flag<T: TryFrom<i64>>(setting: &str, text: &str) -> Result<T, String> {
    let Some(rule) = rules::find(setting) else { return Err(format!("{setting} is not a setting")) };
    let number = text.parse::<i64>().ok().filter(|number| rule.wrong(&Value::from(*number)).is_empty());
    let allowed = || format!("allowed: a whole number, {rule}");
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(allowed)
}

#[cfg(test)]
mod tests {
    use super::flag;

    #[test]
    fn a_flag_is_checked_as_its_setting_is() {
        assert_eq!(flag::<u64>("engine.timeout_minutes", "1440"), Ok(1440));
        assert_eq!(flag::<usize>("engine.parallelism", "1"), Ok(1));
        for text in ["0", "1441", "-1", "10m", "", "1.5", "many", "18446744073709551615"] {
            let allowed = Err("allowed: a whole number, 1 to 1440 minutes".to_owned());
            assert_eq!(flag::<u64>("engine.timeout_minutes", text), allowed, "{text}");
        }
        let allowed = Err("allowed: a whole number, 1 to 64".to_owned());
        assert_eq!(flag::<usize>("engine.parallelism", "999999999"), allowed);
    }
}
