//! Files made for a test.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A zip file of these parts.
pub(crate) fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in parts {
        writer
            .start_file(*path, SimpleFileOptions::default())
            .expect("a part is begun");
        writer.write_all(bytes).expect("a part is written");
    }
    writer.finish().expect("the file is finished").into_inner()
}

/// An OpenDocument workbook with this content.
pub(crate) fn ods(content: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content>{content}</office:document-content>"
    );
    zip(&[
        (
            "mimetype",
            b"application/vnd.oasis.opendocument.spreadsheet",
        ),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
        ("content.xml", content.as_bytes()),
    ])
}

/// An OpenDocument workbook with one table of these rows.
pub(crate) fn ods_table(rows: &str) -> Vec<u8> {
    ods(&format!(
        "<table:table table:name=\"T\">{rows}</table:table>"
    ))
}

/// An Excel workbook with one sheet of these rows.
pub(crate) fn xlsx(rows: &str) -> Vec<u8> {
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    xlsx_parts(&sheet, "<sst/>")
}

/// An Excel workbook with this sheet and these texts that its cells share.
pub(crate) fn xlsx_parts(sheet: &str, shared: &str) -> Vec<u8> {
    let relationship = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let workbook = format!(
        "<workbook xmlns:r=\"{relationship}\"><sheets>\
         <sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let related = format!(
        "<Relationships><Relationship Id=\"rId1\" Type=\"{relationship}/worksheet\" \
         Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    let main = format!(
        "<Relationships><Relationship Id=\"rId1\" Type=\"{relationship}/officeDocument\" \
         Target=\"xl/workbook.xml\"/></Relationships>"
    );
    zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", main.as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", related.as_bytes()),
        ("xl/sharedStrings.xml", shared.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}
