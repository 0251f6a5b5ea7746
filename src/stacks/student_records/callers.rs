//! S12: who may call the API, and how often: the campus systems.

use std::collections::BTreeSet;

use super::{Builder, Class};
use crate::config::Authorization;
use crate::resource::Tags;
use crate::resources::apigateway::route;
use crate::resources::apigateway::usage_plan::{PlanStage, Quota};
use crate::resources::apigateway::{ApiKey, RestApi, Stage, UsagePlan, UsagePlanKey};
use crate::resources::cognito::{PasswordPolicy, ResourceServer, UserPool, UserPoolClient, UserPoolDomain};
use crate::stack::Node;

/// What scopes are named after.
const SCOPES_OF: &str = "student-records";
/// Minutes an access token is good for.
const TOKEN_MINUTES: i32 = 60;

/// What a campus system may be allowed to do.
pub(super) const SCOPES: [(&str, &str); 3] = [
    ("read", "Read student records"),
    ("write", "Add, change and remove student records"),
    ("events", "Send grades, enrollment and attendance"),
];

/// How callers prove who they are.
pub(super) enum Callers {
    /// By a signature with AWS credentials.
    Iam,
    /// By an access token of this user pool, with scopes of this server.
    Cognito(Node<UserPool>, Node<ResourceServer>),
}

impl Callers {
    /// Who may call a route that takes this scope.
    pub fn with(&self, scope: &str) -> route::Authorization {
        match self {
            Callers::Iam => route::Authorization::Iam,
            Callers::Cognito(pool, server) => {
                route::Authorization::Cognito { user_pool_arn: pool.arn(), scopes: [server.scope(scope)].into() }
            }
        }
    }
}

impl Builder<'_> {
    pub(super) fn callers(&mut self) -> Callers {
        if self.config.api.authorization == Authorization::Iam {
            return Callers::Iam;
        }
        self.layer("cognito", Class::Restricted);
        let pool = self.user_pool();
        // A domain's name is shared with everybody in the region.
        let domain = format!("{}-{}", self.name("records"), self.place.account);
        self.stack.add("user-pool-domain", UserPoolDomain { user_pool_id: pool.user_pool_id(), domain });
        let scopes = SCOPES.map(|(name, what)| (name.to_owned(), what.to_owned())).into();
        let server = self.stack.add(
            "resource-server",
            ResourceServer {
                user_pool_id: pool.user_pool_id(),
                identifier: SCOPES_OF.into(),
                name: self.name("records"),
                scopes,
            },
        );
        for system in self.config.api.campus_systems.clone() {
            self.client(&system, &pool, &server);
        }
        Callers::Cognito(pool, server)
    }

    /// Holds no people by itself: campus systems come with a secret of their own.
    fn user_pool(&mut self) -> Node<UserPool> {
        self.stack.add(
            "user-pool",
            UserPool {
                name: self.name("callers"),
                deletion_protection: self.config.profile().deletion_protection,
                mfa: Some("ON".into()),
                password_policy: PasswordPolicy {
                    minimum_length: 14,
                    uppercase: true,
                    lowercase: true,
                    numbers: true,
                    symbols: true,
                    temporary_password_days: 1,
                },
                admin_create_user_only: true,
                tags: Tags::new(),
            },
        )
    }

    fn client(&mut self, system: &str, pool: &Node<UserPool>, server: &Node<ResourceServer>) {
        let client = UserPoolClient {
            user_pool_id: pool.user_pool_id(),
            name: self.name(&format!("client-{system}")),
            generate_secret: true,
            allowed_flows: BTreeSet::from(["client_credentials".to_owned()]),
            allowed_scopes: SCOPES.map(|(name, _)| server.scope(name)).into(),
            access_token_minutes: TOKEN_MINUTES,
        };
        self.stack.add(format!("client-{system}"), client);
    }

    /// One key and one plan each, so that one campus system cannot use up another's share.
    pub(super) fn campus_system(&mut self, system: &str, api: &Node<RestApi>, stage: &Node<Stage>) {
        let settings = &self.config.api;
        let description = format!("Campus system {system}, {}", self.config.env);
        let plan = self.stack.add(
            format!("usage-plan-{system}"),
            UsagePlan {
                name: self.name(&format!("plan-{system}")),
                description: description.clone(),
                stages: [PlanStage { rest_api_id: api.rest_api_id(), stage: stage.stage_name() }].into(),
                throttle_rate: f64::from(settings.plan_rate),
                throttle_burst: settings.plan_burst,
                quota: Some(Quota { limit: settings.plan_quota, period: "MONTH".into() }),
                tags: Tags::new(),
            },
        );
        let key = ApiKey { name: self.name(&format!("key-{system}")), description, enabled: true, tags: Tags::new() };
        let key = self.stack.add(format!("api-key-{system}"), key);
        let member = UsagePlanKey { usage_plan_id: plan.usage_plan_id(), api_key_id: key.api_key_id() };
        self.stack.add(format!("usage-plan-key-{system}"), member);
    }
}
