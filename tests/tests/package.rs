//! The Debian package: installed into an empty system, upgraded and removed, by dpkg itself.

use callgate_tests::{Setup, binary};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A system with nothing in it, in which dpkg runs scripts without a root of their own.
struct System(PathBuf);

impl System {
    fn new(folder: &Path) -> System {
        let root = folder.join("root");
        for part in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/callgate"] {
            fs::create_dir_all(root.join(part)).expect("a folder");
        }
        for file in ["status", "available"] {
            fs::write(root.join("var/lib/dpkg").join(file), "").expect("a file");
        }
        System(root)
    }

    fn dpkg(&self, arguments: &[&str]) {
        // Whoever is not root pretends to be, since files belong to root.
        let (program, first) = match nix::unistd::geteuid().is_root() {
            true => ("dpkg", None),
            false => ("fakeroot", Some("dpkg")),
        };
        let root = format!("--root={}", self.0.display());
        let how = ["--force-depends", "--force-not-root", "--force-script-chrootless", "--log=/dev/null"];
        done(Command::new(program).args(first).arg(root).args(how).args(arguments));
    }

    fn has(&self, path: &str) -> bool {
        self.0.join(path).exists()
    }
}

fn done(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&text));
    output
}

#[test]
fn the_package_installs_serves_is_upgraded_and_leaves_what_is_its_operators() {
    let setup = Setup::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/package");
    let made = done(Command::new(script).arg("--program").arg(binary("callgate")));
    let made = String::from_utf8(made.stdout).expect("text");
    let made: Vec<&str> = made.lines().filter_map(|line| line.strip_prefix("package: ")).collect();
    let [package, tarball] = made[..] else { panic!("two files: {made:?}") };

    let system = System::new(setup.folder());
    system.dpkg(&["--install", package]);
    let config = system.0.join("etc/callgate/config/gateway.toml");
    let routes = system.0.join("etc/callgate/routes/up.toml");
    fs::write(&routes, "[[routes]]\nmatch = 'GET /up'\nrespond = { body = 'up' }\n").expect("a file");
    let installed = system.0.join("usr/bin/callgate");
    let checked = done(Command::new(&installed).arg("check").arg("--config").arg(&config));
    assert!(String::from_utf8_lossy(&checked.stdout).starts_with("ok: 1 route,"), "{checked:?}");
    // What the unit starts is what is installed.
    let unit = fs::read_to_string(system.0.join("usr/lib/systemd/system/callgate.service")).expect("a unit");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/")).expect("a command");
    assert_eq!(start, "usr/bin/callgate run --config /etc/callgate/config/gateway.toml");
    for path in [
        "usr/share/doc/callgate/copyright",
        "usr/share/callgate/grafana/callgate.json",
        "usr/share/callgate/schema/tables.json",
    ] {
        assert!(system.has(path), "{path}");
    }

    // Another version leaves what its operator has written.
    let own = fs::read_to_string(&config).expect("a file") + "# mine\n";
    fs::write(&config, &own).expect("a file");
    system.dpkg(&["--force-confold", "--install", package]);
    assert_eq!(fs::read_to_string(&config).expect("a file"), own);
    system.dpkg(&["--remove", "callgate"]);
    assert!(!system.has("usr/bin/callgate") && system.has("var/lib/callgate"));
    assert_eq!(fs::read_to_string(&config).expect("a file"), own);
    system.dpkg(&["--purge", "callgate"]);
    assert!(!config.exists() && !system.has("var/lib/callgate"));
    assert!(routes.exists(), "routes are nobody's but their operator's");

    // The tarball has the same program.
    let unpacked = setup.folder().join("unpacked");
    fs::create_dir(&unpacked).expect("a folder");
    done(Command::new("tar").arg("-C").arg(&unpacked).args(["--strip-components=1", "-xzf", tarball]));
    done(Command::new(unpacked.join("usr/bin/callgate")).arg("--version"));
}
