//! What comes from disk.

use super::*;
use crate::config::testing::Folder;
use std::path::Path;

/// Checks the diagnostics of a watched path, with the test's folder shown as `~`.
#[track_caller]
fn check_load(folder: &Folder, watched: &str, expected: &str) {
    let seen = Tables::load(&[folder.path(watched)]).unwrap_err().to_string();
    let seen = seen.replace(&folder.path("").display().to_string(), "~");
    assert!(seen.trim() == expected.trim(), "saw:\n{seen}\nexpected:\n{expected}");
}

#[test]
fn the_demos_tables_hold_and_are_what_the_demo_needs() {
    let tables = Tables::load(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("../routes")]).unwrap();
    let endpoints: Vec<String> = tables
        .backends
        .iter()
        .flat_map(|backend| {
            backend.endpoints.iter().map(move |endpoint| format!("{} {}", backend.name, endpoint.addr))
        })
        .collect();
    let expected =
        ["files 127.0.0.1:7102", "library 127.0.0.1:7102", "shop 127.0.0.1:7101", "shop 127.0.0.1:7102"];
    assert_eq!(endpoints, expected);
    let routes: Vec<String> =
        tables.routes.iter().map(|route| format!("{} {}", route.matcher, route.action)).collect();
    assert_eq!(
        routes,
        [
            "GET /openapi.json openapi of all files",
            "GET /explore explore /openapi.json",
            "PUT /v1/files/{name} files.put",
            "GET /v1/files/{name} files.get",
            "POST /v1/books library.add",
            "GET /v1/books library.list",
            "GET /v1/books/{id} library.get",
            "PATCH /v1/books/{id} library.change",
            "DELETE /v1/books/{id} library.remove",
            "GET /v1/books.csv library.export",
            "POST /v1/books/{id}/cover library.dress",
            "GET /v1/books/{id}/cover library.cover",
            "GET / respond 200",
            "GET /page.js respond 200",
            "GET /page.css respond 200",
            "GET /v1/calc/add calc.add",
            "POST /v1/calc/divide calc.divide",
            "POST /v1/orders/{order_id}/quote orders.quote",
            "GET /v1/orders/{order_id} orders.get",
            "POST /v1/echo echo.json",
            "POST /v1/echo/types echo.types",
            "GET /v1/delay/{ms} echo.delay",
            "GET /v1/count echo.count",
            "POST /v1/sum echo.sum",
            "POST /v1/chat echo.chat",
            "GET /v1/chat echo.chat",
            "GET /v1/fail/{code} echo.fail",
            "POST /mcp tools of all files",
        ]
    );
}

#[test]
fn an_empty_folder_is_an_empty_table() {
    let folder = Folder::new();
    let tables = Tables::load(&[folder.path("")]).unwrap();
    assert!(tables.routes.is_empty() && tables.backends.is_empty() && tables.files.is_empty());
}

#[test]
fn a_path_that_leads_nowhere_is_an_error() {
    check_load(
        &Folder::new(),
        "routes",
        "
error: cannot read ~/routes: No such file or directory (os error 2)
 |
 = help: `watch` in [tables] of gateway.toml names it
",
    );
}

#[test]
fn a_symlink_that_leads_nowhere_is_an_error() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("gone", folder.path("a.toml")).unwrap();
    check_load(
        &folder,
        "",
        "
error: cannot read ~/a.toml: No such file or directory (os error 2)
",
    );
}

#[test]
fn what_is_no_regular_file_is_not_read() {
    let error = Tables::load(&["/dev/null".into()]).unwrap_err();
    assert_eq!(error.summary(), "cannot read /dev/null: not a regular file");
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let folder = Folder::new();
    let file = std::fs::File::create(folder.path("a.toml")).unwrap();
    file.set_len(MAX_FILE + 1).unwrap();
    let error = Tables::load(&[folder.path("")]).unwrap_err();
    assert!(error.summary().ends_with("larger than 16777216 bytes"), "{error}");
}

#[test]
fn a_file_that_is_not_utf8_is_shown_where_it_is_not() {
    let folder = Folder::new();
    std::fs::write(folder.path("a.toml"), b"# gr\xfc\xdfe\n").unwrap();
    check_load(
        &folder,
        "",
        "
error: the file is not UTF-8
 --> ~/a.toml:1:5
  |
1 | # gr\u{fffd}\u{fffd}e
  |     ^ byte 4 belongs to no character
  |
  = help: TOML files are UTF-8; save it so
",
    );
}

#[test]
fn mistakes_of_all_files_are_shown_together() {
    let folder = Folder::new();
    folder.write("a.toml", "x = 1\n");
    folder.write("b.toml", "y = \n");
    let error = Tables::load(&[folder.path(""), folder.path("gone")]).unwrap_err();
    assert_eq!(error.len(), 3);
}

#[test]
fn the_gateways_file_that_is_missing_says_how_to_name_another() {
    let error = Settings::load(Path::new("nowhere/gateway.toml")).unwrap_err();
    assert_eq!(
        error.to_string().trim(),
        "error: cannot read nowhere/gateway.toml: No such file or directory (os error 2)\n |\n = help: name another with `--config \
         FILE` or the environment's CALLGATE_CONFIG"
    );
}
