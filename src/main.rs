//! The program: everything is in the library.

use std::process::ExitCode;

/// The engine makes and drops many small objects on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dunderstand::cli::main()
}
