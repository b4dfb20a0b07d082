//! A data folder that cannot be used: each is a clear error that names it.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use crate::{
    items::{app_with_items, assert_items},
    support::{Exited, Server, TestApp, process},
};

#[test]
fn a_folder_that_may_not_be_written_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o555)).unwrap();
    let mut command = as_somebody_without_power(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    let exited = expect_no_start(Server::start_command(command));
    assert!(exited.stderr.contains(data.to_str().unwrap()), "the folder is named: {exited:?}");
    assert!(exited.stderr.to_lowercase().contains("permission denied"), "{exited:?}");
}

#[test]
fn a_file_where_the_folder_should_be_is_a_clear_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let exited = expect_no_start(Server::start(file.path(), &[]));
    assert!(exited.stderr.contains(file.path().to_str().unwrap()), "the path is named: {exited:?}");
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let app = app_with_items();
    let second = expect_no_start(Server::start(app.data(), &[]));
    assert!(second.stderr.contains("in use"), "{second:?}");
    assert!(second.stderr.contains(&app.server().id().to_string()), "the process that has it is named: {second:?}");
    let verify = app.run(&["verify"]);
    assert_ne!(verify.code, Some(0), "verify needs the folder for itself");
    assert!(verify.stderr.contains("in use"), "{verify:?}");
    assert_items(&app);
}

#[test]
fn a_disk_that_takes_no_file_of_a_journal_s_size_is_a_clear_error() {
    let exited = TestApp::try_start_with_files_of_at_most(4 << 20).err().expect("there is no room for a journal");
    assert_eq!(exited.code, Some(1), "{exited:?}");
    for word in ["File too large", "journal"] {
        assert!(exited.stderr.contains(word), "{word}: {exited:?}");
    }
}

/// The binary, run by a user subject to file permissions: root must drop its rights, and copy the binary.
fn as_somebody_without_power(folder: &Path) -> Command {
    const NOBODY: u32 = 65_534;
    if fs::metadata(folder).unwrap().uid() != 0 {
        return process::binary();
    }
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    let copy = folder.join("aisled");
    fs::copy(env!("CARGO_BIN_EXE_aisled"), &copy).unwrap();
    let mut command = process::clean(Command::new(copy));
    command.uid(NOBODY).gid(NOBODY).current_dir(folder);
    command
}

fn expect_no_start(started: Result<Server, Exited>) -> Exited {
    match started {
        Ok(server) => panic!("the server at {} should not have started", server.url()),
        Err(exited) => {
            assert!(exited.code.is_some_and(|code| code != 0), "the exit code says that it failed: {exited:?}");
            exited
        }
    }
}
