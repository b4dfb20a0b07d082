//! Flags that set configuration values, made from the table of settings. A flag that is not given leaves the value to the environment,
//! the file or the default.

use std::{fmt, marker::PhantomData, net::SocketAddr};

use clap::{
    Arg, ArgMatches, Args, Command, FromArgMatches,
    builder::{NonEmptyStringValueParser, PossibleValuesParser},
    value_parser,
};
use figment::value::Dict;

use crate::config::{FIELDS, Field, TakenBy, Takes};

/// The data folder flags that every command on a folder needs.
pub(super) type DataFlags = Flags<Data>;
/// The flags that only a server needs.
pub(super) type ServerFlags = Flags<Server>;
/// The flags that commands on snapshots need besides [`DataFlags`].
pub(super) type SnapshotFlags = Flags<Snapshots>;

/// The flags of some settings, as they were given.
#[derive(Debug, Clone)]
pub(super) struct Flags<G> {
    /// By field name.
    values: Dict,
    group: PhantomData<G>,
}

/// Defines which settings a set of flags is for.
pub(super) trait Group: fmt::Debug + Clone {
    const TAKEN_BY: &'static [TakenBy];
}

#[derive(Debug, Clone)]
pub(super) struct Data;

#[derive(Debug, Clone)]
pub(super) struct Server;

#[derive(Debug, Clone)]
pub(super) struct Snapshots;

impl Group for Data {
    const TAKEN_BY: &'static [TakenBy] = &[TakenBy::EveryCommand];
}

impl Group for Server {
    const TAKEN_BY: &'static [TakenBy] = &[TakenBy::Snapshots, TakenBy::Server];
}

impl Group for Snapshots {
    const TAKEN_BY: &'static [TakenBy] = &[TakenBy::Snapshots];
}

impl<G: Group> Flags<G> {
    /// The given flags by field name.
    pub(super) fn values(&self) -> Dict {
        self.values.clone()
    }

    /// A flag that takes a text, if it was given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.as_str()
    }

    fn fields() -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(|field| G::TAKEN_BY.contains(&field.taken_by))
    }

    fn given(matches: &ArgMatches) -> Dict {
        let value = |field: &Field| {
            let text = matches.get_raw(field.name)?.next()?.to_str()?;
            Some((field.name.to_owned(), field.value_of_text(text)))
        };
        Self::fields().filter_map(value).collect()
    }
}

impl<G: Group> Args for Flags<G> {
    fn augment_args(command: Command) -> Command {
        command.args(Self::fields().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<G: Group> FromArgMatches for Flags<G> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { values: Self::given(matches), group: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.values.extend(Self::given(matches));
        Ok(())
    }
}

/// The flag of a setting. The configuration checks ranges: it names all faults at once, from every source.
fn argument(field: &Field) -> Arg {
    let argument = Arg::new(field.name)
        .long(field.flag().trim_start_matches('-').to_owned())
        .help(help(field))
        .global(field.taken_by != TakenBy::Server)
        .value_name(value_name(field));
    match field.takes {
        Takes::Number { .. } => argument.value_parser(value_parser!(u64)),
        Takes::Choice(words) => argument.value_parser(PossibleValuesParser::new(words())),
        Takes::Switch => argument.num_args(0..=1).default_missing_value("true").value_parser(value_parser!(bool)),
        Takes::Address => argument.value_parser(value_parser!(SocketAddr)),
        Takes::Folder => argument.value_parser(NonEmptyStringValueParser::new()),
        Takes::Secret | Takes::Passphrase | Takes::Filter | Takes::Issuer | Takes::Text | Takes::List(_) => {
            argument.value_parser(value_parser!(String))
        }
    }
}

fn value_name(field: &Field) -> String {
    match field.takes {
        // Their values follow in the help.
        Takes::Choice(_) | Takes::Switch => field.name.to_uppercase(),
        Takes::Number { .. }
        | Takes::Address
        | Takes::Folder
        | Takes::Secret
        | Takes::Passphrase
        | Takes::Filter
        | Takes::Issuer
        | Takes::Text
        | Takes::List(_) => field.unit().to_uppercase().replace(' ', "_"),
    }
}

fn help(field: &Field) -> String {
    let default = field.default_text().map(|default| format!("default: {default}"));
    let range = field.range().map(|range| format!("range: {range}"));
    let notes: Vec<_> = default.into_iter().chain(range).collect();
    if notes.is_empty() { field.help().to_owned() } else { format!("{} [{}]", field.help(), notes.join("; ")) }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Served {
        #[command(flatten)]
        data: DataFlags,
        #[command(flatten)]
        server: ServerFlags,
    }

    #[test]
    fn every_setting_is_a_flag_with_its_help_default_and_range() {
        for field in FIELDS {
            let command = Served::command();
            let argument = command.get_arguments().find(|argument| argument.get_id() == field.name).unwrap();
            assert_eq!(argument.get_long().map(|long| format!("--{long}")), Some(field.flag()));
            let help = argument.get_help().unwrap().to_string();
            for part in [Some(field.help().to_owned()), field.default_text(), field.range()].into_iter().flatten() {
                assert!(help.contains(&part), "{part} is missing in {help}");
            }
        }
    }

    #[test]
    fn what_is_given_as_a_flag_arrives_and_nothing_else() {
        for field in FIELDS {
            let text = field.default_text().unwrap_or_else(|| "1234567890123456".into());
            let Served { data, server } = Served::try_parse_from(["serve", &field.flag(), &text]).unwrap();
            let mut values = data.values();
            values.extend(server.values());
            assert_eq!(values, Dict::from([(field.name.to_owned(), field.value_of_text(&text))]));
        }
    }

    #[test]
    fn a_switch_alone_means_true() {
        let served = Served::try_parse_from(["serve", "--demo"]).unwrap();
        assert_eq!(served.server.values()["demo"].to_bool(), Some(true));
    }
}
