//! Reads an interface file: what is known about the functions of one library.

use toml::de::DeTable;

use super::document::read_schema;
use super::function;
use super::reader::Reader;
use crate::manifest::function::Interface;
use crate::manifest::schema;

/// What the file says. What is wrong in it is in the reader's findings, and left
/// out.
pub fn read(reader: &mut Reader, document: &DeTable) -> Interface {
    let what = "the interface file";
    let mut table = reader.known_keys::<schema::Interface>(document, what);
    read_schema(reader, table.get("schema"), what);
    let mut interface = Interface::default();
    if let Some(entry) = table.get("handles") {
        interface.handles = reader.strings(entry);
    }
    if let Some(entry) = table.get("function") {
        interface.functions = function::read_all(reader, entry);
    }
    table.close();
    interface
}
