//! Files that are no tables, are broken, or are meant to do harm: a sentence, never a fall.

use node_domain::{Sheet, SheetError};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::made::{ods, ods_table, xlsx, xlsx_parts, zip};

fn refused(bytes: &[u8]) -> SheetError {
    let error = Sheet::read(bytes, "bad.xlsx").expect_err("no table");
    let sentence = error.to_string();
    assert!(sentence.contains("'bad.xlsx'"), "{sentence}");
    error
}

fn damaged(bytes: &[u8]) {
    let error = refused(bytes);
    assert!(matches!(error, SheetError::Damaged { .. }), "{error:?}");
}

fn too_large(bytes: &[u8]) {
    let error = refused(bytes);
    assert!(matches!(error, SheetError::TooLarge { .. }), "{error:?}");
}

fn no_table(bytes: &[u8]) {
    let error = refused(bytes);
    assert!(matches!(error, SheetError::NotATable { .. }), "{error:?}");
}

#[test]
fn what_is_empty_is_called_empty() {
    for bytes in [&b""[..], b"\n\n", b"\xEF\xBB\xBF", b",,,\n,,\n"] {
        assert!(matches!(refused(bytes), SheetError::Empty(_)), "{bytes:?}");
    }
}

#[test]
fn what_is_no_table_is_called_what_it_is() {
    no_table(b"%PDF-1.7\n");
    no_table(b"\x89PNG\r\n\x1a\n");
    no_table(b"  <!DOCTYPE html><html>");
    no_table(b"<html><table>");
    no_table(&zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", b"<w/>"),
    ]));
    no_table(&zip(&[("holiday.jpg", b"x")]));
    no_table(b"a,b\n1,\0\n");
    no_table(&[0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn bytes_that_are_no_text_in_utf_8_are_read_as_windows_text() {
    let sheet = Sheet::read(b"School\nSt Mary\x92s \xC9cole\n", "x.csv").expect("a table");
    assert_eq!(sheet.rows[0].cells, ["St Mary’s École"]);
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_found() {
    let error = refused(b"Group,Notes\nMR1,\"open\nMR2,x\nMR3,y\n");
    assert!(
        matches!(error, SheetError::OpenQuote { row: 2, .. }),
        "{error:?}"
    );
}

#[test]
fn tables_beyond_the_bounds_are_refused() {
    too_large(&vec![b'a'; (64 << 20) + 1]);
    too_large("a\n".repeat(200_002).as_bytes());
    too_large("a,".repeat(501).trim_end_matches(',').as_bytes());
    let long = format!("A\n{}\n", "x".repeat(40_001));
    assert!(matches!(
        refused(long.as_bytes()),
        SheetError::CellTooLong { row: 2, .. }
    ));
    let wide = format!("{}x\n", ",".repeat(499)).repeat(20_001);
    too_large(wide.as_bytes());
}

#[test]
fn a_file_cut_short_anywhere_is_refused_or_read_never_a_fall() {
    let table = Sheet::new(vec!["A".to_owned()], vec![vec!["text".to_owned()]; 20]);
    let xlsx = table.write_xlsx("T").expect("written");
    let ods = ods_table("<table:table-row><table:table-cell/></table:table-row>");
    for whole in [&xlsx, &ods] {
        for length in 4..whole.len() {
            refused(&whole[..length]);
        }
    }
    let xls = include_bytes!("../data/groups.xls");
    for length in (8..xls.len()).step_by(97) {
        let _ = Sheet::read(&xls[..length], "bad.xls").map_err(|error| error.to_string());
    }
}

#[test]
fn bytes_changed_anywhere_are_refused_or_read_never_a_fall() {
    let table = Sheet::new(vec!["A".to_owned()], vec![vec!["text".to_owned()]; 20]);
    let xlsx = table.write_xlsx("T").expect("written");
    let xls = include_bytes!("../data/groups.xls").to_vec();
    for seed in 0..600 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = if seed % 3 == 0 {
            xlsx.clone()
        } else {
            xls.clone()
        };
        for _ in 0..1 + seed % 8 {
            let at = random.next_u32() as usize % bytes.len();
            bytes[at] = random.next_u32().to_le_bytes()[0];
        }
        println!("seed {seed}");
        let _ = Sheet::read(&bytes, "bad.xls").map_err(|error| error.to_string());
    }
}

#[test]
fn what_unpacks_to_far_more_than_it_says_is_stopped() {
    // A gigabyte of zeros takes a megabyte; 600 MiB are enough to go over the bound.
    let zeros = vec![0; 600 << 20];
    too_large(&zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/a.xml", &zeros),
    ]));
    let texts = vec![b' '; (64 << 20) + 1];
    too_large(&zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/sharedStrings.xml", &texts),
    ]));
    // The same file, claiming to hold a few bytes alone.
    let mut small = zip(&[("[Content_Types].xml", b"<Types/>"), ("xl/a.xml", &zeros)]);
    let size = u32::try_from(zeros.len()).expect("small").to_le_bytes();
    let found = small
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == size);
    let found = found.map(|(at, _)| at).collect::<Vec<_>>();
    for at in found {
        small[at..at + 4].copy_from_slice(&9_u32.to_le_bytes());
    }
    refused(&small);
}

#[test]
fn a_size_of_a_gigabyte_that_is_only_claimed_costs_nothing() {
    let mut claimed = zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/a.xml", b"0123456789abcde"),
    ]);
    let size = 15_u32.to_le_bytes();
    let found = claimed
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == size);
    for at in found.map(|(at, _)| at).collect::<Vec<_>>() {
        claimed[at..at + 4].copy_from_slice(&(1_u32 << 30).to_le_bytes());
    }
    refused(&claimed);
}

#[test]
fn cells_far_away_take_no_room() {
    too_large(&xlsx(
        "<row r=\"1\"><c r=\"XFD1\" t=\"str\"><v>x</v></c></row>",
    ));
    let far = Sheet::read(
        &xlsx(
            "<row r=\"1\"><c r=\"A1\" t=\"str\"><v>x</v></c></row>\
             <row r=\"1048576\"><c r=\"A1048576\" t=\"str\"><v>y</v></c></row>",
        ),
        "far.xlsx",
    );
    assert_eq!(far.expect("a table").rows[0].number, 1_048_576);
    let sheet = "<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData><row r=\"1\">\
                 <c r=\"A1\" t=\"str\"><v>x</v></c></row></sheetData></worksheet>";
    assert!(Sheet::read(&xlsx_parts(sheet, "<sst/>"), "x.xlsx").is_ok());
}

#[test]
fn a_text_that_is_shared_by_very_many_cells_is_stopped() {
    let text = "x".repeat(40_000);
    let shared = format!("<sst><si><t>{text}</t></si></sst>");
    let rows = (1..=20_000).map(|row| format!("<row r=\"{row}\"><c t=\"s\"><v>0</v></c></row>"));
    let sheet = format!(
        "<worksheet><sheetData>{}</sheetData></worksheet>",
        rows.collect::<String>()
    );
    too_large(&xlsx_parts(&sheet, &shared));
}

#[test]
fn claims_of_open_document_files_are_bounded() {
    let cell = "<table:table-cell office:value-type=\"string\"";
    let row = |repeats: &str, columns: &str| {
        format!(
            "<table:table-row table:number-rows-repeated=\"{repeats}\">{cell} \
             table:number-columns-repeated=\"{columns}\"><text:p>x</text:p></table:table-cell>\
             </table:table-row>"
        )
    };
    let most = usize::MAX.to_string();
    too_large(&ods_table(&row(&most, "1")));
    too_large(&ods_table(&row("1", &most)));
    damaged(&ods_table(&row("many", "1")));
    too_large(&ods_table(&row("200000", "500")));
    let spaces = format!(
        "<table:table-row>{cell}><text:p>x<text:s text:c=\"{most}\"/>{}y</text:p>\
         </table:table-cell></table:table-row>",
        format!("<text:s text:c=\"{most}\"/>").repeat(10)
    );
    assert!(matches!(
        refused(&ods_table(&spaces)),
        SheetError::CellTooLong { .. }
    ));
}

#[test]
fn open_document_files_that_end_in_the_middle_are_damaged() {
    damaged(&ods("<table:table table:name=\"T\"><table:table-row>"));
    damaged(&ods(
        "<table:table table:name=\"T\"><table:table-row></table:table>",
    ));
    damaged(&ods_table(
        "<table:table-row><table:table-cell office:value-type=\"string\"><text:p>\
                        &lol;</text:p></table:table-cell></table:table-row>",
    ));
    no_table(&zip(&[
        ("content.xml", b"\xFF\xFE"),
        ("META-INF/manifest.xml", b"<m/>"),
    ]));
    no_table(&ods("<text:p>A letter without a table.</text:p>"));
}

#[test]
fn protected_files_say_so() {
    let manifest = b"<m:manifest><m:encryption-data/></m:manifest>";
    let ods = zip(&[
        ("content.xml", b"\xF3\x9A"),
        ("META-INF/manifest.xml", manifest),
    ]);
    assert!(matches!(refused(&ods), SheetError::Password(_)));
    let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).expect("a file");
    file.create_stream("/EncryptedPackage").expect("a stream");
    let xlsx = file.into_inner().into_inner();
    assert!(matches!(refused(&xlsx), SheetError::Password(_)));
}
