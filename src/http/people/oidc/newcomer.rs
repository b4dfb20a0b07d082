//! The account of somebody who comes by the provider for the first time: names that are valid and free.

use crate::{
    app::App,
    http::{error::Problem, people::invitations::free_principal},
    oidc::Person,
    people::{Acceptor, DisplayName, Login, Oidc, PeopleError},
};

/// Letters taken over from the provider; a number may follow.
const STEM_MAX: usize = 48;
/// Numbers that are tried for a free login.
const TRIED_MAX: usize = 99;
/// The login of somebody of whom the provider says nothing.
const UNNAMED: &str = "member";
/// Letters of a name that is shown.
const NAME_MAX: usize = 80;

/// Somebody new. What the provider calls the person is a wish only: nobody gets another's login or name in events.
pub fn newcomer(app: &App, person: &Person, oidc: Oidc) -> Result<Acceptor, Problem> {
    let stem = stem(person);
    let is_free = |login: &Login| app.authority.people.by_login(login).is_none();
    let found = logins(&stem).filter(is_free).find_map(|login| free_principal(app, &login).map(|who| (login, who)));
    let (login, who) = found.ok_or(PeopleError::LoginTaken)?;
    let name = shown(person).map_or_else(|| DisplayName::new(login.as_str()), Ok)?;
    Ok(Acceptor::Provided { who, login, name, oidc })
}

fn logins(stem: &str) -> impl Iterator<Item = Login> {
    let numbered = (2..=TRIED_MAX).map(move |number| format!("{stem}-{number}"));
    std::iter::once(stem.to_owned()).chain(numbered).filter_map(|text| Login::new(&text).ok())
}

/// The letters of the wished login that a login may have, beginning with one that a name in events may begin with.
fn stem(person: &Person) -> String {
    let of_email = || person.email.as_ref().and_then(|email| email.split('@').next());
    let wished = person.preferred_username.as_deref().or_else(of_email).unwrap_or_default().to_lowercase();
    let allowed = wished.chars().filter(|letter| letter.is_ascii_alphanumeric() || "._-@+".contains(*letter));
    let stem: String = allowed.skip_while(|letter| !letter.is_ascii_alphanumeric()).take(STEM_MAX).collect();
    if stem.is_empty() { UNNAMED.to_owned() } else { stem }
}

fn shown(person: &Person) -> Option<DisplayName> {
    let text: String = person.name.as_ref()?.chars().take(NAME_MAX).collect();
    DisplayName::new(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(preferred: Option<&str>, email: Option<&str>) -> Person {
        let text = |text: &str| text.to_owned();
        Person { issuer: text("i"), subject: text("s"), preferred_username: preferred.map(text), email: email.map(text), name: None }
    }

    #[test]
    fn a_login_is_made_of_what_the_provider_calls_the_person() {
        assert_eq!(stem(&person(Some("Ann.Smith"), Some("x@y.example"))), "ann.smith");
        assert_eq!(stem(&person(None, Some("ben+shop@home.example"))), "ben+shop");
        assert_eq!(stem(&person(Some("_ Zoë\n<b>"), None)), "zob");
        for nothing in [person(None, None), person(Some("山田"), None), person(None, Some("@"))] {
            assert_eq!(stem(&nothing), UNNAMED);
        }
        assert_eq!(stem(&person(Some(&"a".repeat(500)), None)).len(), STEM_MAX);
        assert_eq!(logins("ann").take(2).map(|login| login.to_string()).collect::<Vec<_>>(), ["ann", "ann-2"]);
    }
}
