//! The rules an escrow carries: holds, policies and who left, as rows, with the sealed texts they name.
//!
//! ```text
//! tables    count, each: name, columns count and names, rows count, each value:
//!           0 | 1 zigzag number | 2 text | 3 bytes
//! runs      count, each: number, salt 32 B
//! contents  count, each as in a survivor pack
//! ```

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::super::ArchiveError;
use super::super::error::Result;
use super::super::wire::{Input, put_bytes, put_number};
use super::pack::{fixed, put_row, read_row, small};
use crate::domain::Timestamp;
use crate::store::{CarriedTable, CarriedValue, ContentRow, Rows, StoreError, WriteTx};

/// Rules as an escrow carries them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CarriedRules {
    pub(super) tables: Vec<CarriedTable>,
    pub(super) runs: BTreeMap<u32, [u8; 32]>,
    pub(super) contents: Vec<ContentRow>,
}

impl CarriedRules {
    /// What is in force now, and the traces of what was disposed of since `since`.
    pub(super) fn gather(rows: &Rows, since: Timestamp) -> Result<CarriedRules> {
        let mut rules = CarriedRules {
            tables: rows.carried(since)?,
            ..CarriedRules::default()
        };
        for table in &rules.tables {
            for no in table.contents() {
                rules.contents.extend(rows.contents(no)?);
            }
        }
        for row in &rules.contents {
            if let Entry::Vacant(place) = rules.runs.entry(row.run) {
                let missing = || StoreError::Corrupt(format!("seal run {} is missing", row.run));
                place.insert(rows.seal_run(row.run)?.ok_or_else(missing)?);
            }
        }
        Ok(rules)
    }

    /// Puts them in force in a fresh copy.
    pub(super) fn apply(&self, tx: &WriteTx<'_>) -> Result<()> {
        for (no, salt) in &self.runs {
            tx.adopt_seal_run(*no, salt, 0)?;
            if tx.seal_run(*no)?.as_ref() != Some(salt) {
                return Err(ArchiveError::Integrity(format!(
                    "seal run {no} of the escrow"
                )));
            }
        }
        for row in &self.contents {
            tx.put_carried_content(row)?;
        }
        for table in &self.tables {
            tx.put_carried(table)?;
        }
        Ok(())
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_number(out, self.tables.len() as u64);
        for table in &self.tables {
            put_bytes(out, table.name.as_bytes());
            put_number(out, table.columns.len() as u64);
            for column in &table.columns {
                put_bytes(out, column.as_bytes());
            }
            put_number(out, table.rows.len() as u64);
            table
                .rows
                .iter()
                .flatten()
                .for_each(|value| put_value(out, value));
        }
        put_number(out, self.runs.len() as u64);
        for (no, salt) in &self.runs {
            put_number(out, u64::from(*no));
            out.extend_from_slice(salt);
        }
        put_number(out, self.contents.len() as u64);
        self.contents.iter().for_each(|row| put_row(out, row));
    }

    pub(super) fn read(input: &mut Input<'_>) -> Result<CarriedRules> {
        let mut rules = CarriedRules::default();
        for _ in 0..input.number()? {
            rules.tables.push(read_table(input)?);
        }
        for _ in 0..input.number()? {
            let no = small(input)?;
            rules.runs.insert(no, fixed(input)?);
        }
        for _ in 0..input.number()? {
            rules.contents.push(read_row(input)?);
        }
        Ok(rules)
    }
}

fn put_value(out: &mut Vec<u8>, value: &CarriedValue) {
    match value {
        CarriedValue::Null => out.push(0),
        CarriedValue::Integer(number) => {
            out.push(1);
            put_number(out, (number << 1 ^ number >> 63) as u64);
        }
        CarriedValue::Text(text) => {
            out.push(2);
            put_bytes(out, text.as_bytes());
        }
        CarriedValue::Blob(bytes) => {
            out.push(3);
            put_bytes(out, bytes);
        }
    }
}

fn read_table(input: &mut Input<'_>) -> Result<CarriedTable> {
    let name = input.text()?.to_owned();
    let mut columns = Vec::new();
    for _ in 0..input.number()? {
        columns.push(input.text()?.to_owned());
    }
    let mut rows = Vec::new();
    for _ in 0..input.number()? {
        let row = columns.iter().map(|_| read_value(input));
        rows.push(row.collect::<Result<_>>()?);
    }
    Ok(CarriedTable {
        name,
        columns,
        rows,
    })
}

fn read_value(input: &mut Input<'_>) -> Result<CarriedValue> {
    Ok(match input.byte()? {
        0 => CarriedValue::Null,
        1 => {
            let number = input.number()?;
            CarriedValue::Integer((number >> 1) as i64 ^ -((number & 1) as i64))
        }
        2 => CarriedValue::Text(input.text()?.to_owned()),
        3 => CarriedValue::Blob(input.bytes()?.to_vec()),
        _ => return Err(ArchiveError::Malformed("a value of an escrow")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_back() {
        let row = |values: [CarriedValue; 2]| values.to_vec();
        let rules = CarriedRules {
            tables: vec![CarriedTable {
                name: "hold".to_owned(),
                columns: vec!["no".to_owned(), "object".to_owned()],
                rows: vec![
                    row([CarriedValue::Integer(i64::MIN), CarriedValue::Null]),
                    row([CarriedValue::Integer(7), CarriedValue::Text("é".to_owned())]),
                    row([CarriedValue::Integer(-1), CarriedValue::Blob(vec![0, 255])]),
                ],
            }],
            runs: [(3, [9; 32])].into(),
            contents: Vec::new(),
        };
        let mut bytes = Vec::new();
        rules.put(&mut bytes);
        let mut input = Input { rest: &bytes };
        assert_eq!(CarriedRules::read(&mut input).unwrap(), rules);
        assert!(input.rest.is_empty());
    }
}
