//! Whose credentials a run has, where the SDK's own chain does not do: the profile that the command line names goes before
//! the keys of the environment, as with AWS's own tools; and a role that asks for an MFA code is assumed with one.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::config::Credentials;
use tokio::sync::Mutex;

use super::profile::{Base, Profiles, Role};
use crate::error::{Class, Fault, Result};

/// Asks a person for the code that this device shows. It may wait as long as it likes.
pub type AskCode = Arc<dyn Fn(&str) -> io::Result<String> + Send + Sync>;

/// Credentials that end sooner than this are not used any more.
const MARGIN: Duration = Duration::from_secs(60);
/// The name in AWS's logs where the profile gives none.
const SESSION: &str = "tapctl";

/// Puts the right credentials into the configuration. The SDK's own chain stays where it does.
///
/// # Errors
/// Where a profile is selected that is not there, or a code is needed and nobody can be asked.
pub(super) fn choose(
    sdk: SdkConfig,
    profiles: &Profiles,
    named: Option<&str>,
    ask: Option<AskCode>,
) -> Result<SdkConfig> {
    // AWS's own command line does not go on with keys of the environment either where `AWS_PROFILE` names no profile
    // (`ProfileNotFound`, raised by get_scoped_config in botocore/session.py).
    if let Some(missing) = profiles.missing() {
        return Err(missing);
    }
    let keys_of_the_environment = std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|key| !key.is_empty());
    if named.is_none() && keys_of_the_environment {
        return Ok(sdk);
    }
    if let Some((base, roles)) = profiles.roles_with_mfa() {
        let provider = Assumed::new(&sdk, base, roles, ask)?;
        return Ok(sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build());
    }
    match named {
        None => Ok(sdk),
        Some(name) => {
            let provider = SharedCredentialsProvider::new(of_profile(&sdk, name));
            Ok(sdk.into_builder().credentials_provider(provider).build())
        }
    }
}

fn of_profile(sdk: &SdkConfig, name: &str) -> ProfileFileCredentialsProvider {
    let mut config = ProviderConfig::without_region().with_region(sdk.region().cloned());
    if let Some(client) = sdk.http_client() {
        config = config.with_http_client(client);
    }
    if let Some(time) = sdk.time_source() {
        config = config.with_time_source(time);
    }
    ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build()
}

/// The credentials of a role that asks for an MFA code. A code works once, and so does what it gives for all clients.
struct Assumed {
    sdk: SdkConfig,
    base: SharedCredentialsProvider,
    roles: Vec<Role>,
    ask: AskCode,
    held: Mutex<Option<Credentials>>,
}

impl fmt::Debug for Assumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assumed").finish_non_exhaustive()
    }
}

impl Assumed {
    fn new(sdk: &SdkConfig, base: Base, roles: Vec<Role>, ask: Option<AskCode>) -> Result<Assumed> {
        let base = match base {
            Base::Keys(keys) => SharedCredentialsProvider::new(keys),
            Base::Profile(name) => SharedCredentialsProvider::new(of_profile(sdk, &name)),
        };
        let asking = roles.iter().find(|role| role.mfa.is_some()).map(|role| role.profile.clone()).unwrap_or_default();
        let Some(ask) = ask else {
            let text = format!("the profile {asking} asks for an MFA code, and there is no terminal to ask on");
            let advice = format!(
                "get the credentials beforehand: eval \"$(aws configure export-credentials --profile {asking} --format env)\", \
                 a credential_process in the profile, or aws-vault exec {asking} -- tapctl …"
            );
            return Err(Fault::new(Class::Credentials, "MfaNeeded", text).with_advice(advice));
        };
        Ok(Assumed { sdk: sdk.clone(), base, roles, ask, held: Mutex::default() })
    }

    async fn credentials(&self) -> std::result::Result<Credentials, CredentialsError> {
        let mut held = self.held.lock().await;
        let soon = SystemTime::now() + MARGIN;
        if let Some(good) = held.as_ref().filter(|held| held.expiry().is_none_or(|end| end > soon)) {
            return Ok(good.clone());
        }
        let mut credentials = self.base.provide_credentials().await?;
        for role in &self.roles {
            credentials = self.assume(role, credentials).await?;
        }
        Ok(held.insert(credentials).clone())
    }

    async fn assume(&self, role: &Role, by: Credentials) -> std::result::Result<Credentials, CredentialsError> {
        let sdk = self.sdk.to_builder().credentials_provider(SharedCredentialsProvider::new(by)).build();
        let code = match &role.mfa {
            Some(device) => Some(self.code(device).await?),
            None => None,
        };
        let answer = aws_sdk_sts::Client::new(&sdk)
            .assume_role()
            .role_arn(&role.arn)
            .set_external_id(role.external_id.clone())
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .set_duration_seconds(role.seconds)
            .set_serial_number(code.as_ref().and(role.mfa.clone()))
            .set_token_code(code)
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        let got = answer.credentials.ok_or_else(|| CredentialsError::unhandled("AssumeRole gave no credentials"))?;
        let end = SystemTime::try_from(got.expiration).ok();
        Ok(Credentials::new(got.access_key_id, got.secret_access_key, Some(got.session_token), end, "assumed role"))
    }

    async fn code(&self, device: &str) -> std::result::Result<String, CredentialsError> {
        let (ask, device) = (self.ask.clone(), device.to_owned());
        let asked = tokio::task::spawn_blocking(move || ask(&device)).await;
        let code = asked.map_err(CredentialsError::unhandled)?.map_err(CredentialsError::unhandled)?;
        let code = code.trim();
        match code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()) {
            true => Ok(code.to_owned()),
            false => Err(CredentialsError::invalid_configuration("an MFA code has six digits")),
        }
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
