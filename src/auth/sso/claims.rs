//! From what a provider says of somebody to a role and a login.

use serde_json::{Map, Value};

use super::super::user::checked_login;
use super::SsoConfig;
use crate::domain::Role;

/// Hex digits of a login that nothing else gave.
const LOGIN_DIGITS: usize = 12;

/// The role that the groups of somebody give: of the first line of the map that names one of them.
pub fn role_of(config: &SsoConfig, claims: &Map<String, Value>) -> Option<Role> {
    let groups = groups(claims, &config.claim);
    let mut map = config.map.0.iter();
    map.find(|(group, _)| groups.contains(&group.as_str()))
        .map(|(_, role)| *role)
}

/// The groups a claim lists: texts in a list, or one text.
fn groups<'a>(claims: &'a Map<String, Value>, claim: &str) -> Vec<&'a str> {
    match named(claims, claim) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A claim by its whole name, or by the names of objects in each other.
fn named<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(claim) {
        return Some(value);
    }
    let mut names = claim.split('.');
    let mut value = claims.get(names.next()?)?;
    for name in names {
        value = value.as_object()?.get(name)?;
    }
    Some(value)
}

/// The login somebody gets when they come first: the name they have at the provider, or their address
/// where the provider does not call it unproven, or what nobody else has (`lookup`, a keyed hash). It is
/// a name alone: who they are is issuer and subject.
pub fn login_of(claims: &Map<String, Value>, lookup: &str) -> String {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let is_proven = claims.get("email_verified") != Some(&Value::Bool(false));
    let address = text("email").filter(|_| is_proven);
    [text("preferred_username"), address]
        .into_iter()
        .flatten()
        .find_map(|name| checked_login(name).ok())
        .unwrap_or_else(|| {
            format!(
                "sso-{}",
                lookup.chars().take(LOGIN_DIGITS).collect::<String>()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::sso::RoleMap;
    use serde_json::json;

    fn config(claim: &str) -> SsoConfig {
        SsoConfig {
            issuer: "https://id.example".to_owned(),
            client_id: "us".to_owned(),
            secret: None,
            claim: claim.to_owned(),
            address: None,
            authority: None,
            map: RoleMap(vec![
                ("legal".to_owned(), Role::Lawyer),
                ("staff".to_owned(), Role::Manager),
            ]),
        }
    }

    fn role(claim: &str, claims: &Value) -> Option<Role> {
        role_of(&config(claim), claims.as_object().unwrap())
    }

    #[test]
    fn m3_the_first_line_of_the_map_that_fits_gives_the_role() {
        assert_eq!(
            role("groups", &json!({"groups": ["staff", "legal"]})),
            Some(Role::Lawyer)
        );
        assert_eq!(
            role("groups", &json!({"groups": ["staff"]})),
            Some(Role::Manager)
        );
        assert_eq!(
            role("groups", &json!({"groups": "staff"})),
            Some(Role::Manager)
        );
        for claims in [
            json!({}),
            json!({"groups": []}),
            json!({"groups": ["Legal", "legal "]}),
            json!({"groups": {"legal": true}}),
            json!({"groups": [["legal"], 7, null]}),
            json!({"roles": ["legal"]}),
        ] {
            assert_eq!(role("groups", &claims), None, "{claims}");
        }
        let nested = json!({"realm_access": {"roles": ["legal"]}});
        assert_eq!(role("realm_access.roles", &nested), Some(Role::Lawyer));
        let address = json!({"https://us.example/groups": ["legal"]});
        assert_eq!(
            role("https://us.example/groups", &address),
            Some(Role::Lawyer)
        );
    }

    #[test]
    fn m3_a_login_is_a_name_that_fits_or_one_that_nobody_has() {
        let login = |claims: Value| login_of(claims.as_object().unwrap(), &"ab".repeat(32));
        assert_eq!(login(json!({"preferred_username": "Ana.Reis"})), "ana.reis");
        assert_eq!(
            login(json!({"preferred_username": "Ana Reis", "email": "ana@x.example"})),
            "ana@x.example"
        );
        let unproven = json!({"email": "root@x.example", "email_verified": false});
        assert_eq!(login(unproven), "sso-abababababab");
        assert_eq!(login(json!({"preferred_username": 7})), "sso-abababababab");
    }
}
