//! What can be typed in a session.

use crate::debug::predicate::Predicate;

/// All commands, for people.
pub const HELP: &str = "n next · p back · g VERSION · c to the next breakpoint · rc back to the previous one · \
b PATH[OP VALUE] sets a breakpoint (b type=list.item_added, b data.quantity.amount>3, b state.items.x.checked; OP is = != > < >= <= ~) · \
l lists them · d [NUMBER] deletes them · s whole state · q quit · an empty line repeats the last step";

/// A movement, which an empty line repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Next,
    Back,
    Continue,
    ReverseContinue,
}

/// A line of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    Step(Step),
    Again,
    Go(u64),
    Break(Predicate),
    /// One breakpoint by its number, or all.
    Delete(Option<usize>),
    List,
    State,
    Help,
    Quit,
}

impl Command {
    /// Parses a line, or returns what is wrong with it.
    pub fn parse(line: &str) -> Result<Self, String> {
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        let rest = rest.trim();
        if !rest.is_empty() && !matches!(word, "g" | "goto" | "b" | "break" | "d" | "delete") {
            return Err(format!("{word} takes no argument; h lists the commands"));
        }
        match word {
            "" => Ok(Self::Again),
            "n" | "next" => Ok(Self::Step(Step::Next)),
            "p" | "back" => Ok(Self::Step(Step::Back)),
            "c" | "continue" => Ok(Self::Step(Step::Continue)),
            "rc" => Ok(Self::Step(Step::ReverseContinue)),
            "g" | "goto" => rest.parse().map(Self::Go).map_err(|_| format!("g takes a version, not {rest:?}")),
            "b" | "break" => rest.parse().map(Self::Break).map_err(|error| format!("this is not a breakpoint: {error}")),
            "d" | "delete" if rest.is_empty() => Ok(Self::Delete(None)),
            "d" | "delete" => rest.parse().map(|which| Self::Delete(Some(which))).map_err(|_| format!("d takes a number, not {rest:?}")),
            "l" | "list" => Ok(Self::List),
            "s" | "state" => Ok(Self::State),
            "h" | "help" | "?" => Ok(Self::Help),
            "q" | "quit" => Ok(Self::Quit),
            _ => Err(format!("{word:?} is not a command; h lists them")),
        }
    }
}
