//! Numbers in few bytes, for columns of them that rise slowly.

use node_feed::DecodeError;

/// Writes a number.
pub(crate) fn write(out: &mut Vec<u8>, number: u64) {
    // Writing to memory does not fail.
    let _length = leb128::write::unsigned(out, number);
}

/// Reads what [`write`] wrote.
pub(crate) fn read(input: &mut &[u8], what: &'static str) -> Result<u64, DecodeError> {
    leb128::read::unsigned(input).map_err(|_| DecodeError::Value(what))
}

/// Writes each number by its difference from the one before.
pub(crate) fn write_differences(out: &mut Vec<u8>, numbers: impl IntoIterator<Item = u64>) {
    let mut before = 0u64;
    for number in numbers {
        let difference = number.wrapping_sub(before).cast_signed();
        let _length = leb128::write::signed(out, difference);
        before = number;
    }
}

/// Reads `count` numbers that [`write_differences`] wrote.
pub(crate) fn read_differences(input: &mut &[u8], count: usize) -> Result<Vec<u64>, DecodeError> {
    let mut before = 0u64;
    let mut numbers = Vec::new();
    for _ in 0..count {
        let difference = leb128::read::signed(input).map_err(|_| DecodeError::Value("a number"))?;
        before = before.wrapping_add(difference.cast_unsigned());
        numbers.push(before);
    }
    Ok(numbers)
}

/// Reads how many of something follow.
pub(crate) fn read_count(input: &mut &[u8]) -> Result<usize, DecodeError> {
    let count = read(input, "a count")?;
    usize::try_from(count).map_err(|_| DecodeError::Value("a count"))
}
