//! Workbooks as programs write them.

use node_domain::Sheet;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};

use crate::made::{ods, ods_table, xlsx};

fn read(bytes: &[u8]) -> Sheet {
    Sheet::read(bytes, "groups.xlsx").expect("a table")
}

#[test]
fn an_excel_workbook_gives_what_its_cells_show() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet();
    let hidden = workbook.add_worksheet();
    hidden.write(0, 0, "not this one").expect("written");
    hidden.set_hidden(true);
    let sheet = workbook.add_worksheet();
    let shown = |format: &str| Format::new().set_num_format(format);
    let date = ExcelDateTime::from_ymd(2026, 11, 24).expect("a date");
    let time = ExcelDateTime::from_hms(16, 30, 0).expect("a time");
    let both = date.clone().and_hms(16, 30, 0).expect("a moment");
    sheet.write(1, 0, "Group").expect("written");
    sheet.write(3, 0, " MR1 ").expect("written");
    let (dates, times) = (shown("dd/mm/yyyy"), shown("hh:mm"));
    sheet
        .write_with_format(3, 1, &date, &dates)
        .expect("written");
    sheet
        .write_with_format(3, 2, &time, &times)
        .expect("written");
    let moments = shown("d mmm yyyy hh:mm");
    sheet
        .write_with_format(3, 3, &both, &moments)
        .expect("written");
    sheet.write(3, 4, 12).expect("written");
    sheet.write(3, 5, 0.1 + 0.2).expect("written");
    sheet.write(3, 6, true).expect("written");
    let formula = Formula::new("=E4*2").set_result("24");
    sheet.write(3, 7, formula).expect("written");
    let failed = Formula::new("=1/0").set_result("#DIV/0!");
    sheet.write(3, 8, failed).expect("written");
    sheet.write(3, 9, "two\nlines").expect("written");
    let hours = shown("[h]:mm");
    sheet
        .write_with_format(3, 10, 26.5 / 24.0, &hours)
        .expect("written");
    let sheet = read(&workbook.save_to_buffer().expect("a workbook"));
    assert_eq!(sheet.headers[..2], ["Group", "Column B"]);
    assert_eq!(sheet.rows.len(), 1);
    assert_eq!(sheet.rows[0].number, 4);
    assert_eq!(
        sheet.rows[0].cells,
        [
            "MR1",
            "2026-11-24",
            "16:30",
            "2026-11-24T16:30",
            "12",
            "0.3",
            "TRUE",
            "24",
            "#DIV/0!",
            "two\nlines",
            "26:30"
        ]
    );
    assert!(Sheet::is_error(&sheet.rows[0].cells[8]));
    assert!(!Sheet::is_error("#1 in the list"));
}

#[test]
fn a_formula_that_was_saved_without_its_value_is_an_error_and_not_nothing() {
    let sheet = read(&xlsx(
        "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>Places</v></c></row>\
         <row r=\"2\"><c r=\"A2\"><f>B2*2</f></c></row>",
    ));
    assert!(Sheet::is_error(&sheet.rows[0].cells[0]), "{sheet:?}");
}

#[test]
fn a_workbook_of_excel_97_gives_what_its_cells_show() {
    let sheet = read(include_bytes!("../data/groups.xls"));
    assert_eq!(sheet.headers[..3], ["Group", "First session", "Starts"]);
    let first = &sheet.rows[0];
    assert_eq!(first.number, 3);
    assert_eq!(
        first.cells[..9],
        [
            "Mastery Readiness – É",
            "2026-11-24",
            "16:30",
            "2026-11-24T16:30",
            "12",
            "26:30",
            "1234.5",
            "TRUE",
            "two\nlines",
        ]
    );
    let second = &sheet.rows[1];
    assert_eq!(second.number, 5);
    assert_eq!(second.cells[4..8], ["0.1", "-3", "1000000", "FALSE"]);
    assert_eq!(sheet.rows[2].cells[4..7], ["0.5", "1.5", "2.5"]);
    // Long texts go on from one record of the file to the next.
    for (row, number) in sheet.rows[3..].iter().zip(6..) {
        let greek = format!("{number:02} {}", "Ωμέγα ".repeat(150));
        let plain = format!("{number:02} {}", "plain ".repeat(200));
        assert_eq!(row.cells[0], greek.trim_end());
        assert_eq!(row.cells[8], plain.trim_end());
    }
    assert_eq!(sheet.rows.len(), 27);
}

#[test]
fn an_open_document_workbook_gives_what_its_cells_show() {
    let sheet = read(&ods(
        "<style:style style:name=\"h\"><style:table-properties table:display=\"false\"/>\
         </style:style>\
         <table:table table:name=\"E\"/>\
         <table:table table:name=\"H\" table:style-name=\"h\"><table:table-row><table:table-cell \
         office:value-type=\"string\"><text:p>not this</text:p></table:table-cell>\
         </table:table-row></table:table>\
         <table:table table:name=\"G\">\
         <table:table-row table:number-rows-repeated=\"2\"><table:table-cell \
         table:number-columns-repeated=\"1024\"/></table:table-row>\
         <table:table-header-rows><table:table-row>\
         <table:table-cell office:value-type=\"string\"><text:p>Group</text:p></table:table-cell>\
         <table:table-cell table:number-columns-repeated=\"2\" office:value-type=\"string\">\
         <text:p>When</text:p></table:table-cell>\
         </table:table-row></table:table-header-rows>\
         <table:table-row>\
         <table:table-cell office:value-type=\"string\"><office:annotation><text:p>a \
         comment</text:p></office:annotation><text:p>A &amp; <text:span>B</text:span>\
         <text:s text:c=\"2\"/>&#xE9;</text:p><text:p>second</text:p></table:table-cell>\
         <table:table-cell office:value-type=\"date\" office:date-value=\"2026-11-24\">\
         <text:p>24/11/26</text:p></table:table-cell>\
         <table:table-cell office:value-type=\"time\" office:time-value=\"PT16H30M00S\"/>\
         <table:table-cell office:value-type=\"float\" office:value=\"12\"/>\
         <table:table-cell office:value-type=\"percentage\" office:value=\"0.5\"/>\
         <table:table-cell office:value-type=\"boolean\" office:boolean-value=\"true\"/>\
         <table:table-cell office:value-type=\"string\" office:string-value=\"\" \
         calcext:value-type=\"error\"><text:p>#DIV/0!</text:p></table:table-cell>\
         <table:table-cell office:value-type=\"string\" calcext:value-type=\"error\">\
         <text:p>Err:502</text:p></table:table-cell>\
         </table:table-row>\
         <table:table-row table:number-rows-repeated=\"1048570\"><table:table-cell/>\
         </table:table-row></table:table>",
    ));
    assert_eq!(sheet.headers[..3], ["Group", "When", "When (2)"]);
    assert_eq!(sheet.rows.len(), 1);
    assert_eq!(sheet.rows[0].number, 4);
    assert_eq!(
        sheet.rows[0].cells,
        [
            "A & B  é\nsecond",
            "2026-11-24",
            "16:30",
            "12",
            "0.5",
            "TRUE",
            "#DIV/0!",
            "#ERROR! Err:502"
        ]
    );
    assert!(Sheet::is_error(&sheet.rows[0].cells[7]));
}

#[test]
fn rows_that_stand_for_several_alike_are_several() {
    let sheet = read(&ods_table(
        "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>G</text:p>\
         </table:table-cell></table:table-row>\
         <table:table-row table:number-rows-repeated=\"3\"><table:table-cell \
         office:value-type=\"float\" office:value=\"7\"/></table:table-row>",
    ));
    let numbers = sheet.rows.iter().map(|row| row.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn a_workbook_in_which_only_a_hidden_sheet_has_content_gives_that() {
    let sheet = read(&ods(
        "<style:style style:name=\"h\"><style:table-properties table:display=\"false\"/>\
         </style:style><table:table table:name=\"H\" table:style-name=\"h\"><table:table-row>\
         <table:table-cell office:value-type=\"string\"><text:p>Group</text:p></table:table-cell>\
         </table:table-row></table:table><table:table table:name=\"E\"/>",
    ));
    assert_eq!(sheet.headers, ["Group"]);
}
