//! Where a command works and as whom: who names the region, and the connection to AWS.

use std::io::{IsTerminal, Write as _};
use std::sync::Arc;

use super::{Common, Error};
use crate::aws::{AskCode, Aws, Login, Profiles};
use crate::config::Config;
use crate::error::Class;
use crate::render;
use crate::run::region::Claim;

/// Every variable that names a region, the first before the second.
const VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Who names a region, the first before the second: command line, settings, environment.
pub(super) fn said(common: &Common, config: &Config) -> Vec<Claim> {
    let flag = common.region.as_ref().map(|region| Claim::new(region, "--region"));
    let setting = config.said.place("region").map(|place| Claim::new(&config.region, place));
    let variable = |name: &&'static str| Some(Claim::new(std::env::var_os(name)?.to_string_lossy(), *name));
    flag.into_iter().chain(setting).chain(VARIABLES.iter().filter_map(variable)).collect()
}

/// Connects to AWS. What is wrong with the way there is told with who named the region, which the host follows from.
pub(super) async fn connect(region: &Claim, common: &Common, profiles: &Profiles) -> Result<Aws, Error> {
    let login = Login {
        region: region.region.clone(),
        profile: common.profile.clone(),
        ask: std::io::stdin().is_terminal().then(|| Arc::new(ask) as AskCode),
        tell: Arc::new(render::note),
    };
    let aws = Aws::connect_as(&login, profiles).await.map_err(|mut fault| {
        if fault.class == Class::Lost {
            fault.message = format!("{} (the region is {} by {})", fault.message, region.region, region.by);
        }
        fault
    })?;
    Ok(aws)
}

/// Asks for the code of an MFA device.
fn ask(device: &str) -> std::io::Result<String> {
    let mut out = anstream::stderr();
    write!(out, "MFA code of {device}: ")?;
    out.flush()?;
    Ok(std::io::stdin().lines().next().transpose()?.unwrap_or_default())
}
