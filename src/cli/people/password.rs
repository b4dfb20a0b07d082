//! Where a password comes from: a terminal, standard input, or chance. Never from the command line, which every user of the machine can read.

use std::io::{self, BufRead, IsTerminal};

use anyhow::{Context, ensure};
use clap::Args;

use crate::people::Secret;

/// Bytes of a line with a password: four for each of the 256 characters, and the line's end.
const LINE_BYTES_MAX: u64 = 1_026;

#[derive(Debug, Clone, Args)]
pub(super) struct PasswordFlag {
    /// Read the password from the first line of standard input. Without it a terminal is asked, else one is generated and shown once.
    #[arg(long)]
    password_stdin: bool,
}

/// A password, and whether the person must be told it.
pub(super) struct Chosen {
    pub text: String,
    pub generated: bool,
}

impl PasswordFlag {
    /// The password to set.
    ///
    /// # Errors
    /// When it cannot be read, or the two that were typed differ.
    pub(super) fn choose(&self) -> anyhow::Result<Chosen> {
        if self.password_stdin {
            return Ok(Chosen { text: first_line(io::stdin().lock())?, generated: false });
        }
        if io::stdin().is_terminal() {
            return Ok(Chosen { text: asked_twice()?, generated: false });
        }
        Ok(Chosen { text: Secret::new_password().expose().to_owned(), generated: true })
    }
}

/// The first line without its end. A longer text than any password is cut, and refused for its length later.
fn first_line(input: impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    input.take(LINE_BYTES_MAX).read_line(&mut line).context("the password on standard input cannot be read")?;
    let text = line.strip_suffix('\n').unwrap_or(&line);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

fn asked_twice() -> anyhow::Result<String> {
    let ask = |prompt: &str| rpassword::prompt_password(prompt).context("the terminal cannot be asked for a password");
    let password = ask("Password: ")?;
    ensure!(ask("Again: ")? == password, "the two passwords differ: nothing was changed");
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_and_keeps_its_blanks() {
        for (input, password) in [(" two words \nmore\n", " two words "), ("dos\r\n", "dos"), ("no end", "no end"), ("", "")] {
            assert_eq!(first_line(input.as_bytes()).expect("it can be read"), password);
        }
        assert!(first_line("x".repeat(5_000).as_bytes()).expect("it can be read").len() > 1_024, "longer than any password");
    }

    #[test]
    fn a_generated_password_has_twenty_letters_and_is_another_each_time() {
        let [one, other] = [(); 2].map(|()| Secret::new_password().expose().to_owned());
        assert_ne!(one, other);
        assert!(one.len() == 20 && one.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{one}");
    }
}
