//! Compiles every `.proto` file below `causeway/`, without protoc.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=causeway");
    let mut files = Vec::new();
    collect(Path::new("causeway"), &mut files)?;
    files.sort();
    let mut compiler = protox::Compiler::new(["."])?;
    let descriptors = compiler
        .include_imports(true)
        .open_files(&files)?
        .file_descriptor_set();
    // For reflection.
    let folder = std::env::var_os("OUT_DIR").ok_or("cargo names no folder")?;
    let encoded = compiler.encode_file_descriptor_set();
    fs::write(Path::new(&folder).join("causeway.bin"), encoded)?;
    tonic_prost_build::configure()
        .bytes(".")
        .compile_fds(descriptors)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    Ok(())
}
