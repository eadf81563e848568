"""What backend-sdk/tests/vectors/every.rs says to Rust's macros, said in Python: the same schemas have to come of it."""
from describe import code, enum, field, items, method, option, presence, set_of, span, struct, variant, words
from primitives import text
from values import ABSENT

PLAIN = """unit bool u8 u16 u32 u64 u128 usize=u64 i8 i16 i32 i64 i128 isize=i64 f32 f64 char string bytes uuid timestamp
duration ip=ipaddr ipv4=ipv4addr ipv6=ipv6addr json""".split()

plain = struct("Plain", *(field(name, ty or name) for name, _, ty in (p.partition("=") for p in PLAIN)),
               doc="Every type that has no parts.")
colour = enum("Colour", variant("Red"), variant("Blue"))
empty = struct("Empty")
composed = struct(
    "Composed",
    field("option", option("u8")),
    field("boxed", "u8"),
    field("list", items("u8")),
    field("deque", items("u8")),
    field("set", set_of("u8")),
    field("sorted_set", set_of("u8")),
    field("map", ("map", "string", "u8")),
    field("sorted_map", ("map", "u32", "bool")),
    field("array", ("array", "u8", 3)),
    field("tuple", ("tuple", ["u8", "bool"])),
    field("nested", items(option(("map", colour, ("array", items("u8"), 2))))),
    field("newtype", "string"),
    field("pair", ("tuple", ["u8", "string"])),
    field("marker", "unit"),
    field("empty", empty),
    doc="Every type with parts.")
delivery = enum(
    "Delivery",
    variant("pick_up", doc="Nobody brings it."),
    variant("locker", {"newtype": "u64"}, aliases=["box"]),
    variant("drone", {"tuple": ["f64", "f64"]}),
    variant("post", {"struct": [field("streetName", "string", doc="Where to."),
                                field("zip", colour, aliases=["plz", "code"])]}),
    doc="Every shape of a variant.\n\nWith two paragraphs.")

def page(of, name): return struct(f"Page<{name}>", field("items", items(of)), field("next", option("string")))

tree = struct("Tree", field("value", "u8"), doc="A tree, by way of another type.")
tree.parts += [field("children", items(tree)), field("forest", option(page(tree, "Tree")))]

groups = {str(n): ["b", "aa", "a", ""] for n in range(0, 300, 60)}
prices = {name: n for n, name in enumerate(["pear", "fig", "apple", "plum", "quince"], 1)}
defaults = struct(
    "Defaults",
    field("zero", "u32", default=0),
    field("ten", "u16", default=10),
    field("text", option("string"), default=None),
    field("prices", ("map", "string", "u64"), default=prices),
    field("groups", ("map", "u16", set_of("string")), default=groups),
    field("needed", "bool"))
patch = struct(
    "Patch",
    field("title", presence("string")),
    field("tags", presence(set_of("string")), default=ABSENT),
    doc="What is to be changed.")
refund = struct(
    "Refund",
    field("amount", ("logical", 1, "string"), attributes=[(3, text("0.01").hex()), words(8, "EUR")]),
    field("parts", option(items("u8")), attributes=[span(6, 1, 300), (2, "010109")]),
    field("on", ("logical", 2, "string")),
    doc="What is paid back.")
card = struct(
    "Card",
    field("number", "string", attributes=[(9, "")]),
    field("rest", ("map", "string", "u8"), attributes=[(13, "")]),
    attributes=[words(1, "Cards are gone.")])
payment = enum(
    "Payment",
    variant("cash", attributes=[words(1, "Nobody has any.")]),
    variant("card", {"newtype": card}),
    doc="How it is paid.", attributes=[words(11, "type"), words(12, "data")])
refused = enum(
    "Refused",
    variant("NoSuchOrder", attributes=[code(5)]),
    variant("TooMuch", {"struct": [field("left", "u64")]}, attributes=[code(11)]),
    doc="Why nothing is paid back.")

METHODS = {
    "nothing": method("nothing", [], "unit", doc="Takes nothing and gives nothing."),
    "plain": method("plain", [field("plain", plain)], plain),
    "arguments": method("arguments", [field("first", "u8", doc="The first."), field("second", option("string"))], "string",
                        doc="Takes two arguments.\n\nOne may be missing."),
    "composed": method("composed", [field("composed", composed)], "unit"),
    "deliver": method("deliver", [field("by", delivery)], items(delivery)),
    "grow": method("grow", [field("tree", tree)], option(tree)),
    "page": method("page", [field("of", page(colour, "Colour")), field("names", page("string", "String"))],
                   page(set_of("string"), "Set<String>")),
    "defaults": method("defaults", [field("defaults", defaults)], tree),
    "patch": method("patch", [field("patch", patch)], patch),
    "refund": method("refund", [field("refund", refund)], "unit"),
    "pay": method("pay", [field("by", payment)], card),
    "gather": method("gather", [field("most", "u8")], ("tuple", ["u8", "string"]), doc="Takes a stream.", items=tree),
    "watch": method("watch", [field("by", delivery)], composed, doc="Gives one."),
    "follow": method("follow", [], page(colour, "Colour"), doc="Does both.", items=colour),
    "pay_back": method("pay_back", [field("refund", refund), field("at_once", "bool")], plain, doc="Pays back.",
                       error=refused, items="bytes", attributes=[words(1, "Use refund.")]),
}
