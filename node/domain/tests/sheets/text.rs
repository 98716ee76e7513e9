//! CSV as it comes from programs and people.

use node_domain::Sheet;

fn read(bytes: &[u8]) -> Sheet {
    Sheet::read(bytes, "groups.csv").expect("a table")
}

fn numbers(sheet: &Sheet) -> Vec<usize> {
    sheet.rows.iter().map(|row| row.number).collect()
}

#[test]
fn a_plain_table_has_headings_and_rows() {
    let sheet = read(b"Group, School \nMR1,Anston Brook\nMR2,\n");
    assert_eq!(sheet.headers, ["Group", "School"]);
    assert_eq!(sheet.rows[0].cells, ["MR1", "Anston Brook"]);
    assert_eq!(sheet.rows[1].cells, ["MR2", ""]);
    assert_eq!(numbers(&sheet), [2, 3]);
}

#[test]
fn the_encoding_is_found_by_mark_or_by_content() {
    let text = "School,Town\nSt Mary’s École,Thurcroft – north\n";
    let mut with_mark = b"\xEF\xBB\xBF".to_vec();
    with_mark.extend(text.as_bytes());
    let (windows, _, lost) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!lost);
    let little = |mark: &[u8]| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [mark.to_vec(), units.collect()].concat()
    };
    let big = |mark: &[u8]| {
        let units = text.encode_utf16().flat_map(u16::to_be_bytes);
        [mark.to_vec(), units.collect()].concat()
    };
    let expected = read(text.as_bytes());
    assert_eq!(
        expected.rows[0].cells,
        ["St Mary’s École", "Thurcroft – north"]
    );
    for bytes in [
        with_mark,
        windows.into_owned(),
        little(b"\xFF\xFE"),
        big(b"\xFE\xFF"),
        little(b""),
        big(b""),
    ] {
        assert_eq!(read(&bytes), expected);
    }
}

#[test]
fn the_separator_is_found_by_the_rows() {
    let expected = read(b"Group,Places\nMR1,12\nMR2,8\n");
    assert_eq!(read(b"Group;Places\nMR1;12\nMR2;8\n"), expected);
    assert_eq!(read(b"Group\tPlaces\r\nMR1\t12\r\nMR2\t8\r\n"), expected);
    assert_eq!(read(b"Group,Places\rMR1,12\rMR2,8\r"), expected);
    // Excel shows no row for the line that names the separator.
    assert_eq!(
        read(b"sep=;\r\nGroup;Places\r\nMR1;12\r\nMR2;8\r\n"),
        expected
    );
    let commas_inside = read(b"Group;Notes\nMR1;one, two, three\nMR2;four, five, six\n");
    assert_eq!(commas_inside.headers, ["Group", "Notes"]);
    let one_column = read(b"Group\nMR1\nMR2\n");
    assert_eq!(one_column.rows[1].cells, ["MR2"]);
}

#[test]
fn rows_are_counted_as_the_spreadsheet_program_counts_them() {
    let text =
        "\r\nGroup,Notes\r\nMR1,\"two\r\nlines\"\r\n\r\n,\r\nMR2,\"he said \"\"yes\"\"\"\r\n";
    let sheet = read(text.as_bytes());
    assert_eq!(sheet.headers, ["Group", "Notes"]);
    assert_eq!(numbers(&sheet), [3, 6]);
    assert_eq!(sheet.rows[0].cells[1], "two\nlines");
    assert_eq!(sheet.rows[1].cells[1], "he said \"yes\"");
}

#[test]
fn headings_are_there_and_distinct() {
    let sheet = read(b"Name,Name,,Name (2),Name\na,b,c,d,e,f\n");
    assert_eq!(
        sheet.headers,
        [
            "Name", "Name (3)", "Column C", "Name (2)", "Name (4)", "Column F"
        ]
    );
    assert_eq!(sheet.rows[0].cells, ["a", "b", "c", "d", "e", "f"]);
}

#[test]
fn columns_without_heading_or_content_at_the_end_are_left_out() {
    let sheet = read(b"A,B,,\n1,2,,\n");
    assert_eq!(sheet.headers, ["A", "B"]);
}

#[test]
fn a_stray_quotation_mark_within_a_cell_is_kept() {
    let sheet = read(b"Item,Size\nShelf,5\" deep\nRuler,12\"\n");
    assert_eq!(sheet.rows[0].cells, ["Shelf", "5\" deep"]);
    assert_eq!(sheet.rows[1].cells, ["Ruler", "12\""]);
}
