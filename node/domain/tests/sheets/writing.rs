//! Tables that are taken away, and brought back.

use calamine::{Data, Reader, Xlsx};
use node_domain::{Sheet, SheetError};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use std::io::Cursor;

fn sheet(headers: &[&str], rows: &[&[&str]]) -> Sheet {
    let owned = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
    Sheet::new(owned(headers), rows.iter().map(|row| owned(row)))
}

fn usual() -> Sheet {
    sheet(
        &[
            "Group",
            "URN",
            "First session",
            "Starts",
            "Code",
            "Cost",
            "Telephone",
            "Notes",
        ],
        &[
            &[
                "MR1",
                "100000",
                "2026-11-24",
                "16:30",
                "0012",
                "12.50",
                "01709 555123",
                "é, –",
            ],
            &[
                "MR2",
                "-5",
                "2026-11-24T16:30",
                "00:00",
                "1e5",
                "1234567890123456",
                "+44 1709",
                "",
            ],
            &[
                "MR3",
                "0",
                "2026-02-30",
                "24:00",
                "-0",
                "0.1",
                "'quoted'",
                "two\n\"lines\"; yes",
            ],
            &["", "", "1850-01-01", "", "", "", "", "not empty"],
        ],
    )
}

#[test]
fn csv_comes_back_as_it_went() {
    let usual = usual();
    assert_eq!(Sheet::read(&usual.write_csv(), "x.csv"), Ok(usual));
}

#[test]
fn xlsx_comes_back_as_it_went_but_for_zeros_after_the_point() {
    let mut usual = usual();
    let written = usual.write_xlsx("Work groups 2026/27").expect("written");
    assert_eq!(
        written,
        usual.write_xlsx("Work groups 2026/27").expect("again")
    );
    usual.rows[0].cells[5] = "12.5".to_owned();
    assert_eq!(Sheet::read(&written, "x.xlsx"), Ok(usual));
}

#[test]
fn in_xlsx_numbers_are_numbers_dates_are_dates_and_codes_stay_text() {
    let written = usual().write_xlsx("a/b").expect("written");
    let mut workbook = Xlsx::new(Cursor::new(written)).expect("a workbook");
    assert_eq!(workbook.sheet_names(), ["a b"]);
    let range = workbook.worksheet_range("a b").expect("a sheet");
    let cell = |row, column| range.get_value((row, column)).expect("a cell");
    assert_eq!(cell(1, 1), &Data::Float(100_000.0));
    assert!(matches!(cell(1, 2), Data::DateTime(_)));
    assert!(matches!(cell(1, 3), Data::DateTime(_)));
    assert_eq!(cell(1, 4), &Data::String("0012".to_owned()));
    assert_eq!(cell(1, 5), &Data::Float(12.5));
    assert_eq!(cell(1, 6), &Data::String("01709 555123".to_owned()));
    assert_eq!(cell(2, 5), &Data::String("1234567890123456".to_owned()));
    assert_eq!(cell(3, 2), &Data::String("2026-02-30".to_owned()));
}

#[test]
fn no_cell_of_a_csv_is_taken_for_a_formula() {
    let cells = [
        "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", "'=1+1", "''=1", "-inf", "-", "+", "=", "'a",
    ];
    let rows = cells.iter().map(|cell| vec![(*cell).to_owned()]);
    let dangerous = Sheet::new(vec!["=A1".to_owned()], rows);
    let written = dangerous.write_csv();
    let text = String::from_utf8(written.clone()).expect("UTF-8");
    let text = text.strip_prefix('\u{FEFF}').expect("a byte order mark");
    for line in text.lines() {
        let cell = line.trim_start_matches('"');
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{line}");
    }
    let read = Sheet::read(&written, "x.csv").expect("a table");
    assert_eq!(read.headers, ["=A1"]);
    for (row, cell) in read.rows.iter().zip(cells) {
        // Space around a cell is left out when it is read.
        assert_eq!(row.cells, [cell.trim()]);
    }
    let numbers = sheet(&["N"], &[&["-5"], &["+7"], &["-0.25"]]).write_csv();
    assert_eq!(numbers, "\u{FEFF}N\r\n-5\r\n+7\r\n-0.25\r\n".as_bytes());
}

#[test]
fn titles_that_no_sheet_may_have_are_made_fit() {
    for title in [
        "",
        "'",
        "[]:*?/\\",
        "History",
        &"é".repeat(40),
        "'quoted'",
        "a\u{1}b",
    ] {
        let written = sheet(&["A"], &[&["1"]]).write_xlsx(title).expect("written");
        assert!(Sheet::read(&written, "x.xlsx").is_ok(), "{title}");
    }
    let empty = Sheet::default().write_xlsx("Nothing").expect("written");
    let read = Sheet::read(&empty, "x.xlsx");
    assert_eq!(read, Err(SheetError::Empty("x.xlsx".to_owned())));
}

#[test]
fn a_cell_that_excel_cannot_hold_is_cut_with_a_mark_and_the_file_is_written() {
    for (char, kept) in [("x", 32_766), ("é", 32_766), ("🙂", 16_383)] {
        let long = char.repeat(32_768);
        let written = sheet(&[&long], &[&[&long]]).write_xlsx("T");
        let read = Sheet::read(&written.expect("written"), "x.xlsx").expect("read");
        let cell = &read.rows[0].cells[0];
        assert_eq!(cell.chars().count(), kept + 1, "{char}");
        assert!(cell.ends_with('…'));
    }
    let fits = "x".repeat(32_767);
    let written = sheet(&["A"], &[&[&fits]]).write_xlsx("T").expect("written");
    let read = Sheet::read(&written, "x.xlsx").expect("read");
    assert_eq!(read.rows[0].cells[0], fits);
}

#[test]
fn whatever_stands_in_cells_comes_back_in_both_formats() {
    const PIECES: [&str; 24] = [
        "a", "Z", "é", "’", "–", "漢", "🙂", " ", ",", ";", "\t", "\"", "'", "\n", "=", "-", "+",
        "@", "0", "12", ".", "<&>", "_x000D_", "sep=",
    ];
    for seed in 0..200 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut below = |bound: usize| (random.next_u32() as usize) % bound;
        let columns = 1 + below(4);
        let mut cell = || {
            let pieces = (0..below(6)).map(|_| PIECES[below(PIECES.len())]);
            let text = pieces.collect::<String>();
            text.trim().to_owned()
        };
        let headers = (0..columns).map(|column| format!("H{column}")).collect();
        let rows = (0..5).map(|_| (0..columns).map(|_| cell()).collect());
        let mut sheet = Sheet::new(headers, rows.collect::<Vec<Vec<String>>>());
        sheet
            .rows
            .retain(|row| row.cells.iter().any(|cell| !cell.is_empty()));
        for (row, number) in sheet.rows.iter_mut().zip(2..) {
            row.number = number;
        }
        let csv = Sheet::read(&sheet.write_csv(), "x.csv").expect("a table");
        assert_eq!(csv, sheet, "seed {seed}");
        let xlsx = sheet.write_xlsx("T").expect("written");
        let xlsx = Sheet::read(&xlsx, "x.xlsx").expect("a table");
        for (read, written) in xlsx.rows.iter().zip(&sheet.rows) {
            for (read, written) in read.cells.iter().zip(&written.cells) {
                let same_number = read.parse::<f64>().ok() == written.parse::<f64>().ok();
                let number = read.parse::<f64>().is_ok() && same_number;
                assert!(
                    read == written || number,
                    "seed {seed}: {read:?}, {written:?}"
                );
            }
        }
    }
}
