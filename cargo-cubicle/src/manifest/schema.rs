//! The shape of the manifest as types: which tables there are and which keys
//! each has, with the explanation that an editor shows.
//!
//! They are described here once. The JSON schema is generated from these types,
//! and the reader asks [`keys_of`] which keys a table may have, so that the two
//! cannot drift apart. Values are not deserialised into them: serde stops at the
//! first mistake, and the manifest is to be told all of its mistakes at once.
#![expect(
    dead_code,
    reason = "the types are a description; no value of them exists"
)]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde_json::Value;

use super::policy::SYSCALL_GROUPS;
use super::words::{
    Access, Denied, GateKind, Isolation, Kind, LendWord, LintLevel, Negative, OnFault, Rodata,
};
use crate::diagnostics::Code;

/// Cubicle.toml: how a program is taken apart into cubicles.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// The version of this format. Defaults change only with this number.
    #[schemars(range(min = 1, max = 1))]
    schema: u32,
    /// "pku" (default): refuse to start without protection keys. "any": page tables instead.
    isolation: Option<Isolation>,
    /// `true`: debuggers and core dumps may see the process. Default: only root's debuggers.
    dumps: Option<bool>,
    /// The cubicles by name: lower-case letters, digits, `-` and `_`, beginning with a letter.
    cubicle: BTreeMap<String, Cubicle>,
    /// Keyed windows: memory that several cubicles touch all the time.
    window: Option<BTreeMap<String, Window>>,
    /// The same program, partitioned more coarsely.
    variant: Option<BTreeMap<String, Variant>>,
    /// Levels of lint rules, by the rule's name.
    lint: Option<Lint>,
}

/// An interface file: what is known about the functions of one library.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Interface {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    schema: u32,
    /// Structs and their typedefs by name: arguments that point to one are handles, where nothing else is said.
    handles: Option<Vec<String>>,
    /// The library's functions, by symbol name.
    function: BTreeMap<String, Function>,
}

/// What a lint rule does.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LintRule {
    /// How bad its findings are.
    level: Option<LintLevel>,
    /// Names that findings may be about without being any, with the reason for each.
    except: Option<BTreeMap<String, String>>,
}

/// A component with memory, a libc and a heap of its own.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cubicle {
    /// Exactly one cubicle is the main one: the binary's `main`, and everything nobody claims.
    main: Option<bool>,
    /// "shared": no cubicle of its own but a private copy in every image that refers to it.
    kind: Option<Kind>,
    /// Cargo packages: their C-ABI definitions, native objects and the native libraries their build scripts name.
    crates: Option<Vec<String>>,
    /// C and C++ sources to compile.
    c: Option<CSources>,
    /// Glob patterns of objects (`.o`) and archives (`.a`), relative to the manifest.
    objects: Option<Vec<String>>,
    /// Native static libraries on the link line, without `lib` and `.a`.
    libs: Option<Vec<String>>,
    /// Interface files: manifests/NAME.toml of the project, then those that come with the tool.
    interfaces: Option<Vec<String>>,
    /// The cubicles that may call in; nobody by default.
    callers: Option<Vec<String>>,
    /// Patterns of exported symbols; by default every symbol another cubicle refers to.
    exports: Option<Vec<String>>,
    /// Cubicles whose whole memory this one may touch; not the other way round.
    sees: Option<BTreeMap<String, Access>>,
    /// The arena's limit, such as "256M" (default "1G"): malloc fails beyond.
    memory: Option<Size>,
    /// The stack of each virtual thread, such as "256K" (default "1M").
    stack: Option<Size>,
    /// "checked" (default), or "fast" for callees without authority.
    gate: Option<GateKind>,
    /// Whether its gates clear vector, mask and x87 registers that carry nothing (default true).
    scrub_vectors: Option<bool>,
    /// Granted system calls: groups such as "@file", or single names.
    syscalls: Option<Vec<SystemCall>>,
    /// What a denied system call comes to: "error" (default), "log" reports the first of each kind, "kill" ends the program.
    denied: Option<Denied>,
    /// The files that calls with paths reach; without it all that the process may.
    files: Option<Files>,
    /// "public" (default): every cubicle may read its constants. "private": only itself.
    rodata: Option<Rodata>,
    /// "abort" (default), or "restart" from the cubicle's image.
    on_fault: Option<OnFault>,
    /// How often a minute it may be restarted (default 60); once more ends the program.
    restarts: Option<u32>,
    /// What is known about its functions, by symbol name.
    function: Option<BTreeMap<String, Function>>,
}

/// Files and folders with what is in them. A relative path counts from the directory in which the program starts.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Files {
    /// What may be read.
    read: Option<Vec<String>>,
    /// What may be read, changed, created and removed.
    write: Option<Vec<String>>,
}

/// C and C++ sources; which of the two a file is, its extension says.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CSources {
    /// Glob patterns relative to the manifest.
    files: Vec<String>,
    /// Include folders relative to the manifest.
    include: Option<Vec<String>>,
    /// Macros and their values.
    define: Option<BTreeMap<String, String>>,
    /// Further flags for the compiler.
    flags: Option<Vec<String>>,
}

/// Adds to, or overrides, what an interface file says about a function.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Function {
    /// A C declaration, where DWARF has none: `int f(char *s, int n)`.
    signature: Option<String>,
    /// The kind of its gates.
    gate: Option<GateKind>,
    /// Its pointer arguments by name, by position ("#1") or by a quoted path ("strm.next_in", "iov[].base").
    arg: Option<BTreeMap<String, Argument>>,
    /// What is known about the returned pointer.
    result: Option<ReturnValue>,
    /// Copy the callee's errno to the caller's libc after the call.
    errno: Option<bool>,
    /// What a pending call returns if the cubicle is restarted.
    fault: Option<Fault>,
    /// Whether `longjmp` may pass over a call of it.
    may_unwind: Option<bool>,
}

/// How an argument crosses the gate.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Argument {
    /// Borrowed for the call; "handle" is passed through and never touched.
    lend: Option<LendWord>,
    /// How many bytes are lent.
    bytes: Option<Extent>,
    /// How many elements are lent; their size comes from DWARF.
    count: Option<Extent>,
    /// How much of an "out" or "inout" range was written.
    used: Option<Extent>,
    /// A negative length means a C string.
    negative: Option<Negative>,
    /// It stays lent until this function is called with it.
    keep: Option<String>,
    /// What the callee sees instead.
    value: Option<i64>,
    /// A function pointer: gets an entry.
    callback: Option<bool>,
    /// A C declaration of the callback, where the type of the pointer says less.
    signature: Option<String>,
    /// The arguments of a callback, in the other direction.
    arg: Option<BTreeMap<String, Argument>>,
    /// The result of a callback, in the other direction.
    result: Option<Box<ReturnValue>>,
}

/// What a returned pointer is: within an argument, or described like one.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReturnValue {
    /// It points into this argument.
    within: Option<String>,
    /// "in": the callee's, and the caller gets a copy; "handle" is passed through and never touched.
    lend: Option<LendWord>,
    /// How many bytes are lent.
    bytes: Option<Extent>,
    /// How many elements are lent; their size comes from DWARF.
    count: Option<Extent>,
    /// A function pointer: gets an entry.
    callback: Option<bool>,
    /// A C declaration of the callback, where the type of the pointer says less.
    signature: Option<String>,
    /// The arguments of a callback.
    arg: Option<BTreeMap<String, Argument>>,
    /// The result of a callback.
    result: Option<Box<ReturnValue>>,
}

/// What a pending call returns if the cubicle is restarted.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Fault {
    /// A number, or "null".
    returns: Returns,
    /// The name of an errno value, such as "EIO".
    errno: Option<String>,
}

/// Memory with a protection key of its own.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    /// The cubicle that owns it.
    owner: String,
    /// The other cubicles that may touch it.
    guests: BTreeMap<String, Access>,
    /// Globals placed in it.
    symbols: Option<Vec<String>>,
}

/// The same program, partitioned more coarsely.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Variant {
    /// Groups of cubicles that become one.
    merge: Vec<Vec<String>>,
}

/// Gives a type that has no fields of its own a hand-written schema.
macro_rules! described {
    ($(#[$meta:meta])* $name:ident, $schema:expr) => {
        $(#[$meta])*
        pub struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let describe: fn(&mut SchemaGenerator) -> Schema = $schema;
                describe(generator)
            }
        }
    };
}

described! {
    /// Levels by rule name.
    Lint, |generator| {
        let level = generator.subschema_for::<LintLevel>();
        let rule = generator.subschema_for::<LintRule>();
        let level = json_schema!({ "anyOf": [level.to_value(), rule.to_value()] });
        let rules: serde_json::Map<String, Value> = Code::all()
            .map(|code| (code.name().to_owned(), level.clone().to_value()))
            .collect();
        json_schema!({ "type": "object", "properties": rules, "additionalProperties": false })
    }
}

described! {
    /// A number or a string.
    Extent, |_| json_schema!({
        "description": "A number, an argument or field (`n`), `*path`, `path*path`, \"cstr\" or \"sizeof\"; for `used` also \"moved\" and \"result\".",
        "oneOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "minLength": 1 }]
    })
}

described! {
    /// A number or "null".
    Returns, |_| json_schema!({ "oneOf": [{ "type": "integer" }, { "const": "null" }] })
}

described! {
    /// Digits and a unit.
    Size, |_| json_schema!({
        "description": "Digits and K, M or G; a multiple of 4K.",
        "type": "string",
        "pattern": "^[0-9]+[KMG]$"
    })
}

described! {
    /// A group or a name.
    SystemCall, |_| json_schema!({
        "anyOf": [
            { "enum": SYSCALL_GROUPS },
            { "type": "string", "pattern": "^[a-z_][a-z0-9_]*$" }
        ]
    })
}

/// The JSON schema of the manifest, as committed in `docs/Cubicle.schema.json`.
pub fn json_schema() -> String {
    text(schema_for!(Manifest))
}

/// The JSON schema of interface files, as committed in
/// `docs/Interface.schema.json`.
pub fn interface_json_schema() -> String {
    text(schema_for!(Interface))
}

fn text(schema: Schema) -> String {
    let mut schema = schema.to_value();
    forget_null(&mut schema);
    // A `Value` always has a textual form; the alternate one is indented.
    format!("{schema:#}\n")
}

/// The keys that a table may have, in the order of the alphabet.
pub(super) fn keys_of<T: JsonSchema>() -> &'static [String] {
    static KEYS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
        let mut keys = BTreeMap::new();
        let mut add = |name: &str, table: &Value| {
            if let Some(properties) = table.get("properties").and_then(Value::as_object) {
                keys.insert(name.to_owned(), properties.keys().cloned().collect());
            }
        };
        for (name, schema) in [
            (Manifest::schema_name(), schema_for!(Manifest)),
            (Interface::schema_name(), schema_for!(Interface)),
        ] {
            let schema = schema.to_value();
            add(&name, &schema);
            for (name, table) in schema["$defs"].as_object().into_iter().flatten() {
                add(name, table);
            }
        }
        keys
    });
    KEYS.get(&*T::schema_name()).map_or(&[], Vec::as_slice)
}

/// Takes out what schemars says about `null` for optional values: TOML has none.
fn forget_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(words)) = map.get_mut("enum") {
                words.retain(|word| !word.is_null());
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            map.values_mut().for_each(forget_null);
        }
        Value::Array(list) => list.iter_mut().for_each(forget_null),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_knows_its_keys() {
        assert!(keys_of::<Manifest>().contains(&"isolation".to_owned()));
        assert!(keys_of::<Interface>().contains(&"function".to_owned()));
        assert!(keys_of::<Cubicle>().contains(&"on-fault".to_owned()));
        assert!(keys_of::<CSources>().contains(&"define".to_owned()));
        assert!(keys_of::<Files>().contains(&"write".to_owned()));
        assert!(keys_of::<Function>().contains(&"may-unwind".to_owned()));
        assert!(keys_of::<Argument>().contains(&"lend".to_owned()));
        assert!(keys_of::<ReturnValue>().contains(&"within".to_owned()));
        assert!(keys_of::<Fault>().contains(&"returns".to_owned()));
        assert!(keys_of::<Window>().contains(&"guests".to_owned()));
        assert!(keys_of::<Variant>().contains(&"merge".to_owned()));
        assert_eq!(keys_of::<Lint>().len(), Code::all().count());
    }

    #[test]
    fn the_schema_knows_no_null() {
        // "null" is a word of `returns`; as a type or a value it would be nonsense.
        assert!(!json_schema().contains("\"type\": \"null\""));
        assert!(!json_schema().contains("null,"));
        assert!(!json_schema().contains("\"null\","));
    }
}
