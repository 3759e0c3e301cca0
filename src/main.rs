//! The `wordkeep` command; everything it does is in the room `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    wordkeep::cli::main()
}
