//! Rebuilds the migrator when a migration file comes or goes: the macro that reads the folder sees only changed files.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
