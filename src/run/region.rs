//! Which region a run is for. Several places may name one; they must agree, since what is built in the wrong region stands
//! where nobody looks for it, and where its data may not be.

use super::Refusal;
use crate::config::regions;

/// A region, and who names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The region, as `us-east-1`.
    pub region: String,
    /// A file with its line, a variable, a flag or a profile: `tapctl.toml:3`, `AWS_REGION`.
    pub by: String,
}

impl Claim {
    /// A region and who names it.
    pub fn new(region: impl Into<String>, by: impl Into<String>) -> Self {
        Claim { region: region.into(), by: by.into() }
    }
}

/// The region of a run: what is `said`, the first to go before the others, else what the state has `recorded`, else
/// the default. `new` is a region that a person has confirmed though this version does not know it.
///
/// # Errors
/// Where what is said is no region or an unknown one, where two differ, or where one differs from the recorded.
pub fn resolve(said: &[Claim], recorded: Option<&Claim>, new: Option<&str>) -> Result<Claim, Refusal> {
    for one in said {
        check(one, new)?;
    }
    let Some(first) = said.first() else {
        return Ok(recorded.cloned().unwrap_or_else(|| Claim::new(regions::DEFAULT, "the default")));
    };
    if let Some(other) = said.iter().find(|other| other.region != first.region) {
        return Err(Refusal::new(
            format!("the region is {} by {}, and {} by {}", first.region, first.by, other.region, other.by),
            "let both name the same region, or take one of them away",
        ));
    }
    if let Some(recorded) = recorded.filter(|recorded| recorded.region != first.region) {
        return Err(Refusal::new(
            format!("{} is of {}, and the region is {} by {}", recorded.by, recorded.region, first.region, first.by),
            format!("an environment stands in one region: name {}, or another --env", recorded.region),
        ));
    }
    Ok(first.clone())
}

/// Refuses a region that was confirmed as new where the run is for another one.
///
/// # Errors
/// Names both.
pub fn check_confirmed(region: &Claim, new: Option<&str>) -> Result<(), Refusal> {
    let Some(new) = new.filter(|new| *new != region.region) else { return Ok(()) };
    Err(Refusal::new(
        format!("--new-region is {new:?}, and the region is {} by {}", region.region, region.by),
        format!(
            "--new-region only says that a region is really meant: name it, too, as --region {new}; or take it away"
        ),
    ))
}

fn check(said: &Claim, new: Option<&str>) -> Result<(), Refusal> {
    let Claim { region, by } = said;
    if !regions::is_region(region) {
        let partition = regions::partition(region);
        let text = match regions::PARTITIONS.contains(&partition) {
            true => format!("the region is {region:?} by {by}; allowed: {}", regions::ALLOWED),
            false => format!("{region} ({by}) is of the partition {partition}; allowed: {}", regions::ALLOWED),
        };
        return Err(Refusal::new(text, "name another region, or take it away"));
    }
    if regions::is_known(region) || new == Some(region) {
        return Ok(());
    }
    Err(Refusal::new(
        format!("{region} ({by}) is no region that this tapctl knows; did you mean {}?", regions::nearest(region)),
        format!("where AWS has added it since, add --new-region {region}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(all: &[(&str, &str)]) -> Vec<Claim> {
        all.iter().map(|(region, by)| Claim::new(*region, *by)).collect()
    }

    #[test]
    fn the_first_who_names_one_decides_and_the_record_before_the_default() {
        let recorded = Claim::new("eu-west-1", "state/a.json");
        for (all, recorded, region, by) in [
            (vec![], None, "us-east-1", "the default"),
            (vec![], Some(&recorded), "eu-west-1", "state/a.json"),
            (said(&[("eu-west-1", "--region"), ("eu-west-1", "AWS_REGION")]), None, "eu-west-1", "--region"),
            (said(&[("eu-west-1", "AWS_REGION")]), Some(&recorded), "eu-west-1", "AWS_REGION"),
            (said(&[("us-gov-west-1", "profile gov")]), None, "us-gov-west-1", "profile gov"),
        ] {
            assert_eq!(resolve(&all, recorded, None), Ok(Claim::new(region, by)));
        }
        let new = said(&[("ap-southeast-9", "AWS_REGION")]);
        assert_eq!(resolve(&new, None, Some("ap-southeast-9")), Ok(new[0].clone()));
        assert_eq!(check_confirmed(&new[0], Some("ap-southeast-9")), Ok(()));
        insta::assert_snapshot!(check_confirmed(&recorded, Some("ap-southeast-9")).unwrap_err(), @r#"
        --new-region is "ap-southeast-9", and the region is eu-west-1 by state/a.json
        hint: --new-region only says that a region is really meant: name it, too, as --region ap-southeast-9; or take it away
        "#);
    }

    #[test]
    fn what_differs_is_refused_with_both_names() {
        let refused = |all: &[(&str, &str)], recorded: Option<&Claim>| resolve(&said(all), recorded, None).unwrap_err();
        let places = ["--region", "tapctl.toml:3", "AWS_REGION", "AWS_DEFAULT_REGION", "profile campus"];
        for (index, first) in places.iter().enumerate() {
            for second in &places[index + 1..] {
                let text = refused(&[("eu-west-1", first), ("us-east-1", second)], None).text;
                assert_eq!(text, format!("the region is eu-west-1 by {first}, and us-east-1 by {second}"));
            }
            let recorded = Claim::new("eu-north-1", "state/a.json");
            let text = refused(&[("us-east-1", first)], Some(&recorded)).text;
            assert_eq!(text, format!("state/a.json is of eu-north-1, and the region is us-east-1 by {first}"));
        }
    }

    #[test]
    fn what_is_no_region_is_refused_with_what_is_allowed() {
        let refused = |region: &str| resolve(&said(&[(region, "AWS_REGION")]), None, None).unwrap_err().to_string();
        insta::assert_snapshot!(refused(""), @r#"
        the region is "" by AWS_REGION; allowed: a region of the partitions aws and aws-us-gov, such as "us-east-1"
        hint: name another region, or take it away
        "#);
        insta::assert_snapshot!(refused("cn-north-1"), @r#"
        cn-north-1 (AWS_REGION) is of the partition aws-cn; allowed: a region of the partitions aws and aws-us-gov, such as "us-east-1"
        hint: name another region, or take it away
        "#);
        insta::assert_snapshot!(refused("us-eats-1"), @r"
        us-eats-1 (AWS_REGION) is no region that this tapctl knows; did you mean us-east-1?
        hint: where AWS has added it since, add --new-region us-eats-1
        ");
    }
}
