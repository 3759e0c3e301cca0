//! Notices of holds: who is named with one, what they were sent, and what became of it.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{
    CustodianId, CustodianNo, HoldNo, NoticeActKind, NoticeId, NoticeKind, NoticeLanguage,
    NoticeNo, NoticeTextNo, Now, TenantNo, Timestamp, UserNo,
};

/// A version of a template that somebody wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeTemplateRow {
    /// What it is for.
    pub kind: NoticeKind,
    /// In which language.
    pub language: NoticeLanguage,
    /// From 2 on: version 1 is the program's own.
    pub version: u32,
    /// Digest of its words.
    pub hash: [u8; 32],
    /// When it was written.
    pub created: Timestamp,
    /// Who wrote it.
    pub created_by: UserNo,
    /// Content number of subject and body.
    pub text_no: u64,
}

/// Somebody named with a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustodianRow {
    /// Its number.
    pub no: CustodianNo,
    /// Its public id.
    pub id: CustodianId,
    /// The hold.
    pub hold: HoldNo,
    /// In which language they are written to.
    pub language: NoticeLanguage,
    /// Known to counsel alone: they are sent nothing.
    pub silent: bool,
    /// When they were named.
    pub added: Timestamp,
    /// Who named them.
    pub added_by: UserNo,
    /// Content number of name, address, seat, manager and address of the manager.
    pub text_no: u64,
}

/// Words as they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeTextRow {
    /// Its number.
    pub no: NoticeTextNo,
    /// The hold it is about.
    pub hold: HoldNo,
    /// What it says.
    pub kind: NoticeKind,
    /// In which language.
    pub language: NoticeLanguage,
    /// Which one of this hold, kind and language, from 1 on.
    pub version: u32,
    /// Version of the template it was made from.
    pub template: u32,
    /// Digest of its words.
    pub hash: [u8; 32],
    /// When it was made.
    pub created: Timestamp,
    /// Content number of subject, body, what must be kept and contact.
    pub text_no: u64,
}

/// A notice that was sent to one custodian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its number.
    pub no: NoticeNo,
    /// Its public id.
    pub id: NoticeId,
    /// To whom.
    pub custodian: CustodianNo,
    /// What it says: a hold, or its release.
    pub kind: NoticeKind,
    /// Its words.
    pub text: NoticeTextNo,
    /// Days without an answer after which somebody has to remind.
    pub remind_days: u16,
    /// When it was issued.
    pub issued: Timestamp,
    /// By whom.
    pub issued_by: UserNo,
}

/// Something that became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeActRow {
    /// The notice.
    pub notice: NoticeNo,
    /// What.
    pub kind: NoticeActKind,
    /// When.
    pub at: Timestamp,
    /// Who did it; `None`: the custodian, or the house itself.
    pub by: Option<UserNo>,
    /// Content number of a reason.
    pub text_no: Option<u64>,
}

/// What is kept of the link of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeLinkRow {
    /// The notice it opens.
    pub notice: NoticeNo,
    /// What it is found by.
    pub selector: [u8; 8],
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// When it ends.
    pub expires: Now,
}

fn read_template(row: &Row<'_>) -> rusqlite::Result<NoticeTemplateRow> {
    Ok(NoticeTemplateRow {
        kind: NoticeKind::from_number(row.get(0)?),
        language: NoticeLanguage::from_number(row.get(1)?),
        version: row.get(2)?,
        hash: row.get(3)?,
        created: Timestamp(row.get(4)?),
        created_by: UserNo(row.get(5)?),
        text_no: row.get(6)?,
    })
}

fn read_custodian(row: &Row<'_>) -> rusqlite::Result<CustodianRow> {
    Ok(CustodianRow {
        no: CustodianNo(row.get(0)?),
        id: CustodianId(u128::from_be_bytes(row.get(1)?)),
        hold: HoldNo(row.get(2)?),
        language: NoticeLanguage::from_number(row.get(3)?),
        silent: row.get(4)?,
        added: Timestamp(row.get(5)?),
        added_by: UserNo(row.get(6)?),
        text_no: row.get(7)?,
    })
}

fn read_text(row: &Row<'_>) -> rusqlite::Result<NoticeTextRow> {
    Ok(NoticeTextRow {
        no: NoticeTextNo(row.get(0)?),
        hold: HoldNo(row.get(1)?),
        kind: NoticeKind::from_number(row.get(2)?),
        language: NoticeLanguage::from_number(row.get(3)?),
        version: row.get(4)?,
        template: row.get(5)?,
        hash: row.get(6)?,
        created: Timestamp(row.get(7)?),
        text_no: row.get(8)?,
    })
}

fn read_notice(row: &Row<'_>) -> rusqlite::Result<NoticeRow> {
    Ok(NoticeRow {
        no: NoticeNo(row.get(0)?),
        id: NoticeId(u128::from_be_bytes(row.get(1)?)),
        custodian: CustodianNo(row.get(2)?),
        kind: NoticeKind::from_number(row.get(3)?),
        text: NoticeTextNo(row.get(4)?),
        remind_days: row.get(5)?,
        issued: Timestamp(row.get(6)?),
        issued_by: UserNo(row.get(7)?),
    })
}

const CUSTODIAN: &str =
    "select no, id, hold, language, silent, added, added_by, text_no from custodian";
const TEXT: &str = "select no, hold, kind, language, version, template, hash, created, text_no
                    from notice_text";
const NOTICE: &str =
    "select no, id, custodian, kind, text, remind_days, issued, issued_by from notice";

impl Rows {
    /// Every version of a template that somebody wrote, by kind, language and version.
    pub fn notice_templates(&self) -> Result<Vec<NoticeTemplateRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select kind, language, version, hash, created, created_by, text_no
             from notice_template order by kind, language, version",
        )?;
        let rows = statement.query_map([], read_template)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Everybody named with a hold, in the order in which they were named.
    pub fn custodians(&self, hold: HoldNo) -> Result<Vec<CustodianRow>, StoreError> {
        let sql = format!("{CUSTODIAN} where hold = ?1 order by no");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([hold.0], read_custodian)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The custodian of a number.
    pub fn custodian(&self, no: CustodianNo) -> Result<Option<CustodianRow>, StoreError> {
        let sql = format!("{CUSTODIAN} where no = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([no.0], read_custodian).optional()?)
    }

    /// The custodian of an id.
    pub fn custodian_of_id(&self, id: CustodianId) -> Result<Option<CustodianRow>, StoreError> {
        let sql = format!("{CUSTODIAN} where id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let id = id.0.to_be_bytes();
        Ok(statement.query_row([&id[..]], read_custodian).optional()?)
    }

    /// The words of notices of a hold, oldest first.
    pub fn notice_texts(&self, hold: HoldNo) -> Result<Vec<NoticeTextRow>, StoreError> {
        let sql = format!("{TEXT} where hold = ?1 order by no");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([hold.0], read_text)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Words by number.
    pub fn notice_text(&self, no: NoticeTextNo) -> Result<Option<NoticeTextRow>, StoreError> {
        let sql = format!("{TEXT} where no = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([no.0], read_text).optional()?)
    }

    /// What a custodian was sent, oldest first.
    pub fn notices(&self, custodian: CustodianNo) -> Result<Vec<NoticeRow>, StoreError> {
        let sql = format!("{NOTICE} where custodian = ?1 order by no");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([custodian.0], read_notice)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The notice of an id.
    pub fn notice_of_id(&self, id: NoticeId) -> Result<Option<NoticeRow>, StoreError> {
        let sql = format!("{NOTICE} where id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let id = id.0.to_be_bytes();
        Ok(statement.query_row([&id[..]], read_notice).optional()?)
    }

    /// The notice of a number.
    pub fn notice(&self, no: NoticeNo) -> Result<Option<NoticeRow>, StoreError> {
        let sql = format!("{NOTICE} where no = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([no.0], read_notice).optional()?)
    }

    /// Notices of holds that nobody answered and nobody called back, of holds that are not released.
    pub fn unanswered_notices(&self) -> Result<Vec<NoticeRow>, StoreError> {
        let sql = format!(
            "{NOTICE} where kind = 0
               and not exists (select 1 from notice_act
                               where notice = notice.no and notice_act.kind in (5, 6, 7))
               and not exists (select 1 from custodian join hold on hold.no = custodian.hold
                               where custodian.no = notice.custodian and hold.released is not null)
             order by no"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], read_notice)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What became of a notice, in order. Acts of a newer program are left out.
    pub fn notice_acts(&self, notice: NoticeNo) -> Result<Vec<NoticeActRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select kind, at, by_user, text_no from notice_act where notice = ?1 order by ordinal",
        )?;
        let rows = statement.query_map([notice.0], |row| {
            let Some(kind) = NoticeActKind::from_number(row.get(0)?) else {
                return Ok(None);
            };
            Ok(Some(NoticeActRow {
                notice,
                kind,
                at: Timestamp(row.get(1)?),
                by: row.get::<_, Option<u32>>(2)?.map(UserNo),
                text_no: row.get(3)?,
            }))
        })?;
        let acts: Vec<Option<NoticeActRow>> = rows.collect::<rusqlite::Result<_>>()?;
        Ok(acts.into_iter().flatten().collect())
    }

    /// The link of a selector.
    pub fn notice_link(&self, selector: &[u8; 8]) -> Result<Option<NoticeLinkRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select notice, hash, expires, expires_wall from notice_link where selector = ?1",
            )?
            .query_row([&selector[..]], |row| {
                Ok(NoticeLinkRow {
                    notice: NoticeNo(row.get(0)?),
                    selector: *selector,
                    hash: row.get(1)?,
                    expires: Now {
                        compliance: Timestamp(row.get(2)?),
                        wall: Timestamp(row.get(3)?),
                    },
                })
            })
            .optional()?)
    }

    /// Whether a notice has a link, and when it ends.
    pub fn notice_link_ends(&self, notice: NoticeNo) -> Result<Option<Now>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select expires, expires_wall from notice_link where notice = ?1")?
            .query_row([notice.0], |row| {
                Ok(Now {
                    compliance: Timestamp(row.get(0)?),
                    wall: Timestamp(row.get(1)?),
                })
            })
            .optional()?)
    }
}

impl WriteTx<'_> {
    /// Keeps a version of a template.
    pub fn insert_notice_template(&self, row: &NoticeTemplateRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into notice_template (kind, language, version, tenant, hash, created,
                   created_by, text_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                row.kind as u8,
                row.language as u8,
                row.version,
                TenantNo::FIRST.0,
                &row.hash[..],
                row.created.0,
                row.created_by.0,
                row.text_no,
            ))?;
        Ok(())
    }

    /// Names somebody with a hold; the `no` is ignored and the given number returned.
    pub fn insert_custodian(&self, row: &CustodianRow) -> Result<CustodianNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into custodian (tenant, id, hold, language, silent, added, added_by, text_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &row.id.0.to_be_bytes()[..],
                row.hold.0,
                row.language as u8,
                row.silent,
                row.added.0,
                row.added_by.0,
                row.text_no,
            ))?;
        self.last_no("custodians are used up").map(CustodianNo)
    }

    /// Corrects what is known of a custodian: language, silence and words.
    pub fn update_custodian(&self, row: &CustodianRow) -> Result<(), StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update custodian set language = ?2, silent = ?3, text_no = ?4 where no = ?1",
            )?
            .execute((row.no.0, row.language as u8, row.silent, row.text_no))?;
        self.one_changed(changed, "a custodian")
    }

    /// Keeps words as they are sent; the `no` is ignored and the given number returned.
    pub fn insert_notice_text(&self, row: &NoticeTextRow) -> Result<NoticeTextNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into notice_text (tenant, hold, kind, language, version, template, hash,
                   created, text_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute((
                TenantNo::FIRST.0,
                row.hold.0,
                row.kind as u8,
                row.language as u8,
                row.version,
                row.template,
                &row.hash[..],
                row.created.0,
                row.text_no,
            ))?;
        self.last_no("texts of notices are used up")
            .map(NoticeTextNo)
    }

    /// Keeps a notice; the `no` is ignored and the given number returned.
    pub fn insert_notice(&self, row: &NoticeRow) -> Result<NoticeNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into notice (tenant, id, custodian, kind, text, remind_days, issued, issued_by)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &row.id.0.to_be_bytes()[..],
                row.custodian.0,
                row.kind as u8,
                row.text.0,
                row.remind_days,
                row.issued.0,
                row.issued_by.0,
            ))?;
        self.last_no("notices are used up").map(NoticeNo)
    }

    /// Adds what became of a notice behind what became of it before.
    pub fn insert_notice_act(&self, row: &NoticeActRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into notice_act (notice, ordinal, kind, at, by_user, text_no)
                 select ?1, coalesce(max(ordinal), 0) + 1, ?2, ?3, ?4, ?5
                 from notice_act where notice = ?1",
            )?
            .execute((
                row.notice.0,
                row.kind as u8,
                row.at.0,
                row.by.map(|by| by.0),
                row.text_no,
            ))?;
        Ok(())
    }

    /// Gives a notice its link, in the place of an elder one.
    pub fn put_notice_link(&self, row: &NoticeLinkRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert or replace into notice_link (notice, tenant, selector, hash, expires,
                   expires_wall)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                row.notice.0,
                TenantNo::FIRST.0,
                &row.selector[..],
                &row.hash[..],
                row.expires.compliance.0,
                row.expires.wall.0,
            ))?;
        Ok(())
    }

    /// Calls the link of a notice back; none there is no error.
    pub fn delete_notice_link(&self, notice: NoticeNo) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from notice_link where notice = ?1")?
            .execute([notice.0])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    fn link(notice: u32, selector: u8) -> NoticeLinkRow {
        let at = |at| Now {
            compliance: Timestamp(at),
            wall: Timestamp(at + 1),
        };
        NoticeLinkRow {
            notice: NoticeNo(notice),
            selector: [selector; 8],
            hash: [selector; 32],
            expires: at(9),
        }
    }

    #[test]
    fn a_notice_has_one_link_at_a_time() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        tx.put_notice_link(&link(1, 1)).unwrap();
        tx.put_notice_link(&link(1, 2)).unwrap();
        assert_eq!(tx.notice_link(&[1; 8]).unwrap(), None);
        assert_eq!(tx.notice_link(&[2; 8]).unwrap(), Some(link(1, 2)));
        tx.delete_notice_link(NoticeNo(1)).unwrap();
        assert_eq!(tx.notice_link(&[2; 8]).unwrap(), None);
        assert_eq!(tx.notice_link_ends(NoticeNo(1)).unwrap(), None);
    }

    #[test]
    fn acts_keep_their_order_and_an_answer_ends_the_waiting() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let row = NoticeRow {
            no: NoticeNo(0),
            id: NoticeId(5),
            custodian: CustodianNo(1),
            kind: NoticeKind::Hold,
            text: NoticeTextNo(1),
            remind_days: 7,
            issued: Timestamp(1),
            issued_by: UserNo(1),
        };
        let notice = tx.insert_notice(&row).unwrap();
        assert_eq!(tx.unanswered_notices().unwrap().len(), 1);
        for kind in [
            NoticeActKind::ReminderDue,
            NoticeActKind::Reminded,
            NoticeActKind::Acknowledged,
        ] {
            assert_eq!(tx.unanswered_notices().unwrap().len(), 1);
            tx.insert_notice_act(&NoticeActRow {
                notice,
                kind,
                at: Timestamp(3),
                by: None,
                text_no: None,
            })
            .unwrap();
        }
        let kinds: Vec<NoticeActKind> = tx
            .notice_acts(notice)
            .unwrap()
            .iter()
            .map(|act| act.kind)
            .collect();
        assert_eq!(
            kinds,
            [
                NoticeActKind::ReminderDue,
                NoticeActKind::Reminded,
                NoticeActKind::Acknowledged
            ]
        );
        assert!(tx.unanswered_notices().unwrap().is_empty());
    }
}
