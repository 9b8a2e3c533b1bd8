use shared_schema::access::Role;
use utoipa::{
    Modify,
    openapi::{
        OpenApi,
        path::{Operation, PathItem},
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

/// Where an operation says which role it needs, for programs.
const ROLE: &str = "x-role";

/// How callers say who they are, and what they must be.
pub(super) struct Callers;

impl Modify for Callers {
    fn modify(&self, api: &mut OpenApi) {
        let key = ApiKeyValue::with_description("X-API-Key", "An API key.");
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("A token with the claims `iss`, `aud`, `exp`, `sub`, `role`, `regions` (`null` for all, or a list of states and cities) and, to see personal data, `pii`."))
            .build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(key)));
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let either = ["key", "token"].map(|name| SecurityRequirement::new(name, [""; 0]));
        api.security = Some(either.into());
        for operation in api.paths.paths.values_mut().flat_map(operations) {
            let role = role(operation);
            let above = match role {
                Role::Admin => "",
                Role::Viewer | Role::Analyst => ", or one above it",
            };
            let said = operation.description.get_or_insert_default();
            let said_before = match said.is_empty() {
                true => "",
                false => "\n\n",
            };
            said.push_str(&format!(
                "{said_before}Needs a key or token of the role `{role}`{above}."
            ));
        }
    }
}

/// The role that an operation says it needs; the highest if it says none.
pub(super) fn role(operation: &Operation) -> Role {
    let said = operation
        .extensions
        .as_ref()
        .and_then(|said| said.get(ROLE));
    let role = said.and_then(|role| Role::parse(role.as_str()?));
    role.unwrap_or(Role::Admin)
}

/// The operations of a path.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ];
    all.into_iter().flatten()
}
