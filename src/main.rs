//! The `wordkeep` command; everything it does is in the room `cli`.

fn main() {}
