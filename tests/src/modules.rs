//! Which modules of a crate use which, read off its sources, and the cycles among them.
//!
//! Two modules that use each other can neither be read nor changed alone. A parent and its children may: the parent is their
//! common face. So the modules of one folder are looked at as one graph, and each folder that lies in it as a node of that graph.
//! Uses in tests do not count, nor do those within macros' arguments, which are not parsed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// A module's path within its crate: `["backends", "pick"]`; the crate itself is empty.
pub type ModulePath = Vec<String>;

/// One use of a module by another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// Who uses.
    pub user: ModulePath,
    /// Who is used.
    pub used: ModulePath,
}

/// Modules of one folder, each of which uses the next one, and the last one the first.
#[derive(Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The folder's path.
    pub folder: ModulePath,
    /// One use for each step.
    pub steps: Vec<Use>,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a cycle in `{}`:",
            if self.folder.is_empty() { "crate".to_owned() } else { self.folder.join("::") }
        )?;
        for Use { user, used } in &self.steps {
            write!(f, "\n    {} uses {}", user.join("::"), used.join("::"))?;
        }
        Ok(())
    }
}

/// The modules of a crate and their uses of each other.
#[derive(Default)]
pub struct Modules {
    uses: BTreeSet<Use>,
}

impl Modules {
    /// Reads the sources, each by its path beneath `src`, such as `backends/pick.rs`.
    ///
    /// # Errors
    /// A file that is no Rust.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Modules, String> {
        let mut parsed = BTreeMap::new();
        for (path, text) in files {
            let file = syn::parse_file(text).map_err(|error| format!("{path}: {error}"))?;
            parsed.insert(module_of(path), file);
        }
        let tests: Vec<ModulePath> =
            parsed.iter().flat_map(|(path, file)| test_children(path, &file.items)).collect();
        parsed.retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
        let names = parsed.iter().map(|(path, file)| (path.clone(), exports(&file.items))).collect();
        let known = Known { names };
        let mut modules = Modules::default();
        for (path, file) in &parsed {
            let mut reader = Reader { module: path.clone(), known: &known, uses: &mut modules.uses };
            reader.visit_file(file);
        }
        Ok(modules)
    }

    /// One cycle for each folder that has one.
    pub fn cycles(&self) -> Vec<Cycle> {
        let mut folders: BTreeMap<ModulePath, BTreeMap<(String, String), &Use>> = BTreeMap::new();
        for one in &self.uses {
            let depth = one.user.iter().zip(&one.used).take_while(|(user, used)| user == used).count();
            // One of them lies within the other.
            let (Some(user), Some(used)) = (one.user.get(depth), one.used.get(depth)) else { continue };
            let edges = folders.entry(one.user[..depth].to_vec()).or_default();
            edges.entry((user.clone(), used.clone())).or_insert(one);
        }
        folders.into_iter().filter_map(|(folder, edges)| cycle(folder, &edges)).collect()
    }
}

/// The shortest cycle, if there is one.
fn cycle(folder: ModulePath, edges: &BTreeMap<(String, String), &Use>) -> Option<Cycle> {
    let starts: BTreeSet<&String> = edges.keys().map(|(user, _)| user).collect();
    let found = starts.into_iter().filter_map(|start| way_back(start, edges)).min_by_key(Vec::len)?;
    let steps = found.iter().zip(found.iter().cycle().skip(1));
    let steps = steps.map(|(user, used)| edges[&((*user).clone(), (*used).clone())].clone()).collect();
    Some(Cycle { folder, steps })
}

/// The modules on the shortest way from `start` back to it.
fn way_back<'a>(start: &'a String, edges: &'a BTreeMap<(String, String), &Use>) -> Option<Vec<&'a String>> {
    let mut before: BTreeMap<&String, &String> = BTreeMap::new();
    let mut next = std::collections::VecDeque::from([start]);
    while let Some(user) = next.pop_front() {
        for (_, used) in edges.keys().filter(|(from, _)| from == user) {
            if used == start {
                let mut way = vec![user];
                while let Some(earlier) = before.get(way[way.len() - 1]) {
                    way.push(earlier);
                }
                way.reverse();
                return Some(way);
            }
            if !before.contains_key(used) {
                before.insert(used, user);
                next.push_back(used);
            }
        }
    }
    None
}

fn module_of(path: &str) -> ModulePath {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] {
        parts.pop();
    }
    parts
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|one| {
        one.path().is_ident("cfg")
            && one.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

/// The modules that a file declares for tests only.
fn test_children(path: &[String], items: &[Item]) -> Vec<ModulePath> {
    let child = |item: &Item| match item {
        Item::Mod(one) if is_test(&one.attrs) && one.content.is_none() => {
            Some([path, &[one.ident.to_string()]].concat())
        }
        _ => None,
    };
    items.iter().filter_map(child).collect()
}

/// The names that a file takes from elsewhere by `use`, each with where it comes from.
fn exports(items: &[Item]) -> BTreeMap<String, Vec<String>> {
    let mut names = BTreeMap::new();
    for item in items {
        if let Item::Use(one) = item
            && !is_test(&one.attrs)
        {
            leaves(&one.tree, &mut Vec::new(), &mut |path, name| {
                names.insert(name.to_owned(), path.to_vec());
            });
        }
    }
    names
}

/// Calls `found` with each path that a `use` names, and the name that it is given.
fn leaves(tree: &UseTree, prefix: &mut Vec<String>, found: &mut dyn FnMut(&[String], &str)) {
    let length = prefix.len();
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            leaves(&path.tree, prefix, found);
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, prefix, found)),
        UseTree::Glob(_) => found(prefix, "*"),
        UseTree::Name(name) if name.ident == "self" => {
            let name = prefix.last().cloned().unwrap_or_default();
            found(prefix, &name);
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            prefix.push(name.clone());
            found(prefix, &name);
        }
        UseTree::Rename(rename) => {
            prefix.push(rename.ident.to_string());
            found(prefix, &rename.rename.to_string());
        }
    }
    prefix.truncate(length);
}

/// All modules, each with the names that it has from elsewhere.
struct Known {
    names: BTreeMap<ModulePath, BTreeMap<String, Vec<String>>>,
}

impl Known {
    /// The module in which stands what `path` names, as `module` would write it; none where it is of another crate.
    fn find(&self, module: &[String], path: &[String], turns: usize) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        let absolute = match first.as_str() {
            "crate" => rest.to_vec(),
            "self" => [module, rest].concat(),
            "super" => {
                let (_, parent) = module.split_last()?;
                return match rest.first().map(String::as_str) {
                    Some("super") => self.find(parent, rest, turns),
                    _ => self.find(parent, &[&["self".to_owned()], rest].concat(), turns),
                };
            }
            name if self.names.contains_key(&[module, &[name.to_owned()]].concat()) => {
                [module, path].concat()
            }
            _ => return None,
        };
        let length =
            (0..=absolute.len()).rev().find(|length| self.names.contains_key(&absolute[..*length]))?;
        let (found, rest) = absolute.split_at(length);
        // What a face hands on is used where it stands.
        let handed_on = rest.first().and_then(|name| self.names[found].get(name)).filter(|_| turns > 0);
        handed_on.and_then(|path| self.find(found, path, turns - 1)).or_else(|| Some(found.to_vec()))
    }
}

/// Longer chains of re-exports are not followed.
const MAX_TURNS: usize = 8;

struct Reader<'a> {
    module: ModulePath,
    known: &'a Known,
    uses: &'a mut BTreeSet<Use>,
}

impl Reader<'_> {
    fn note(&mut self, path: &[String]) {
        if let Some(used) = self.known.find(&self.module, path, MAX_TURNS)
            && used != self.module
        {
            self.uses.insert(Use { user: self.module.clone(), used });
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // An inline one is as deep as a file of its own would be.
        if !is_test(&item.attrs) {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        // A face that hands on what stands in its children uses it as their parent.
        if !is_test(&item.attrs) {
            let mut paths = Vec::new();
            leaves(&item.tree, &mut Vec::new(), &mut |path, _| paths.push(path.to_vec()));
            paths.iter().for_each(|path| self.note(path));
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let path: Vec<String> = path.segments.iter().map(|one| one.ident.to_string()).collect();
            self.note(&path);
        }
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles(files: &[(&str, &str)]) -> Vec<String> {
        let modules = Modules::read(files.iter().copied()).expect("it is Rust");
        modules.cycles().iter().map(Cycle::to_string).collect()
    }

    #[test]
    fn folders_that_use_each_other_are_a_cycle_and_its_steps_are_shown() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a/mod.rs", "mod x; pub use x::X;"),
            ("a/x.rs", "pub struct X(crate::b::Y);"),
            ("b.rs", "use crate::{c::Z}; pub struct Y(Z);"),
            ("c.rs", "pub struct Z; fn f() { let _ = crate::a::X::new(); }"),
        ];
        assert_eq!(cycles(&files), ["a cycle in `crate`:\n    a::x uses b\n    b uses c\n    c uses a::x"]);
        assert!(cycles(&files[..4]).is_empty(), "without the last one");
    }

    #[test]
    fn files_of_a_folder_are_looked_at_too_also_where_they_reach_each_other_by_their_parent() {
        let files = [
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod x; mod y; use x::X; pub use y::Y;"),
            ("a/x.rs", "use super::Y; pub struct X;"),
            ("a/y.rs", "use super::X as Other; pub struct Y;"),
        ];
        assert_eq!(cycles(&files), ["a cycle in `a`:\n    a::x uses a::y\n    a::y uses a::x"]);
    }

    #[test]
    fn a_parent_and_its_children_may_use_each_other_and_tests_may_use_whom_they_like() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A;"),
            ("a.rs", "mod x; pub struct A(x::X); #[cfg(test)] mod tests;"),
            ("a/x.rs", "use super::A; pub struct X; #[cfg(test)] mod tests { use crate::b::B; }"),
            ("a/tests.rs", "use crate::b::B;"),
            ("b.rs", "use crate::a::A; pub struct B; use std::fmt;"),
        ];
        assert!(cycles(&files).is_empty());
    }
}
