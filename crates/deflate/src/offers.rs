//! Reads `Sec-WebSocket-Extensions` (RFC 6455, section 9.1): a list of extensions, each with parameters.

use std::borrow::Cow;

/// One extension as offered.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    pub name: &'a str,
    pub parameters: Vec<(&'a str, Option<Cow<'a, str>>)>,
}

/// The offers of one header, in the client's order of preference. `None` if it breaks the grammar: nothing in it can be trusted then.
pub fn offers(header: &str) -> Option<Vec<Offer<'_>>> {
    let mut reader = Reader { rest: header };
    let mut offers = Vec::new();
    loop {
        // A list may have empty entries.
        while reader.takes(',') {}
        if reader.rest.is_empty() {
            return Some(offers);
        }
        offers.push(reader.offer()?);
        if !reader.rest.is_empty() && !reader.rest.starts_with(',') {
            return None;
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn offer(&mut self) -> Option<Offer<'a>> {
        let name = self.token()?;
        let mut parameters = Vec::new();
        while self.takes(';') {
            let parameter = self.token()?;
            let value = if self.takes('=') { Some(self.value()?) } else { None };
            parameters.push((parameter, value));
        }
        Some(Offer { name, parameters })
    }

    /// Takes a separator with the blanks around it, if it is next.
    fn takes(&mut self, separator: char) -> bool {
        self.skip_blanks();
        let Some(rest) = self.rest.strip_prefix(separator) else { return false };
        self.rest = rest;
        self.skip_blanks();
        true
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn token(&mut self) -> Option<&'a str> {
        let end = self.rest.find(|letter| !is_token(letter)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.skip_blanks();
        (!token.is_empty()).then_some(token)
    }

    /// A token, or a token in quotes.
    fn value(&mut self) -> Option<Cow<'a, str>> {
        let Some(quoted) = self.rest.strip_prefix('"') else { return self.token().map(Cow::Borrowed) };
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.rest = &quoted[at + 1..];
                    self.skip_blanks();
                    return (!value.is_empty() && value.chars().all(is_token)).then_some(Cow::Owned(value));
                }
                '\\' => value.push(letters.next()?.1),
                _ => value.push(letter),
            }
        }
        None
    }
}

fn is_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Option<Vec<String>> {
        let show = |offer: Offer<'_>| {
            let parameters = offer.parameters.iter().map(|(name, value)| format!(";{name}={}", value.as_deref().unwrap_or("-")));
            format!("{}{}", offer.name, parameters.collect::<String>())
        };
        offers(header).map(|offers| offers.into_iter().map(show).collect())
    }

    #[test]
    fn offers_come_in_order_with_their_parameters() {
        assert_eq!(read("a; b=1; c , d;e=\"x\""), Some(vec!["a;b=1;c=-".into(), "d;e=x".into()]));
        assert_eq!(read(" ,a,, b ,"), Some(vec!["a".into(), "b".into()]));
        assert_eq!(read(r#"a;b="1\5""#), Some(vec!["a;b=15".into()]));
        assert_eq!(read(""), Some(vec![]));
    }

    #[test]
    fn a_header_that_breaks_the_grammar_offers_nothing() {
        for header in ["a;", "a;=1", "a;b=", "a b", "a;b=\"x", "a;b=\"\"", "a;b=\"x y\"", "a;b=\"x\\", ";", "a,é", "a;b=\"x\"y"] {
            assert_eq!(read(header), None, "{header:?}");
        }
    }
}
