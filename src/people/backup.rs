//! A backup of accounts and credentials, sealed with a passphrase that the admin keeps. Sessions are left out: people sign in again.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305,
    aead::{Aead as _, Payload},
};
use serde::{Deserialize, Serialize};

use super::{
    BackupError, Cost, InputError, People, PeopleError,
    errors::StoreError,
    memory::Memory,
    secret::random,
    store::{RowChange, Rows, Store, Table},
};

/// How every backup begins.
const MAGIC: &[u8; 8] = b"AISLEDPB";
/// The form of what follows.
const VERSION: u8 = 1;
/// Magic, version, cost, salt and nonce; the seal covers them.
const HEADER_BYTES: usize = 8 + 1 + 12 + 16 + 24;
/// What is kept. Accounts come before what depends on them.
const TABLES: [Table; 5] = [Table::Meta, Table::Accounts, Table::Tokens, Table::Links, Table::Invitations];
/// Characters of a passphrase: nobody slows down who guesses it.
const PASSPHRASE_CHARS_MIN: usize = 12;
/// The row of the salt of codes.
const CODE_SALT: &str = "code_salt";

/// The rows of one table, by its name.
#[derive(Serialize, Deserialize)]
struct Part {
    table: String,
    rows: Rows,
}

impl People {
    /// All accounts, tokens, links and invitations as of one moment, sealed. Blocks: call on a thread that may.
    pub fn backup(&self, passphrase: &str) -> Result<Vec<u8>, BackupError> {
        check_passphrase(passphrase)?;
        let parts = self.inner.store.all(&TABLES).map_err(PeopleError::from)?;
        let parts: Vec<_> = parts.into_iter().map(|(table, rows)| Part { table: table.name().to_owned(), rows }).collect();
        let plain = rmp_serde::to_vec_named(&parts).expect("rows become MessagePack, because they are texts and bytes");
        let mut bytes = Header::new(self.inner.hasher.cost()).bytes();
        let sealed = self.cipher(&bytes, passphrase)?.encrypt(&nonce_of(&bytes).into(), Payload { msg: &plain, aad: &bytes });
        bytes.extend(sealed.expect("the backup is sealed, because it is shorter than the cipher's limit of 256 GiB"));
        Ok(bytes)
    }

    /// Restores a backup into an empty store. Blocks: call on a thread that may.
    pub fn restore_backup(&self, bytes: &[u8], passphrase: &str) -> Result<(), BackupError> {
        let parts = self.opened(bytes, passphrase)?;
        let _alone = self.inner.changes.lock();
        if !self.is_empty()? {
            return Err(BackupError::NotEmpty);
        }
        let (memory, changes) = restored(parts).ok_or(BackupError::Newer)?;
        self.inner.store.write(&changes).map_err(PeopleError::from)?;
        *self.inner.code_salt.write() = code_salt(&self.inner.store).map_err(PeopleError::from)?;
        *self.inner.memory.write() = memory;
        Ok(())
    }

    /// Whether there are no accounts, credentials and invitations at all.
    pub fn is_empty(&self) -> Result<bool, PeopleError> {
        Ok(self.inner.store.all(&Table::ALL[1..])?.iter().all(|(_, rows)| rows.is_empty()))
    }

    fn opened(&self, bytes: &[u8], passphrase: &str) -> Result<Vec<Part>, BackupError> {
        let (header, sealed) = bytes.split_at_checked(HEADER_BYTES).ok_or(BackupError::Foreign)?;
        check_header(header)?;
        if check_passphrase(passphrase).is_err() {
            return Err(BackupError::Sealed);
        }
        let plain = self.cipher(header, passphrase)?.decrypt(&nonce_of(header).into(), Payload { msg: sealed, aad: header });
        let plain = plain.map_err(|_| BackupError::Sealed)?;
        // What is sealed was written by us: a form that cannot be read is a later one.
        rmp_serde::from_slice(&plain).map_err(|_| BackupError::Newer)
    }

    fn cipher(&self, header: &[u8], passphrase: &str) -> Result<XChaCha20Poly1305, PeopleError> {
        let key = self.inner.hasher.derive(cost_of(header), passphrase, &header[21..37])?;
        Ok(XChaCha20Poly1305::new(&key.into()))
    }
}

/// The memory that the parts of a backup give, and the rows to write.
fn restored(parts: Vec<Part>) -> Option<(Memory, Vec<RowChange>)> {
    let (mut memory, mut changes) = (Memory::default(), Vec::new());
    for Part { table, rows } in parts {
        let table = TABLES.into_iter().find(|known| known.name() == table)?;
        memory.take(table, &rows)?;
        changes.extend(rows.into_iter().map(|(key, value)| RowChange { table, key, value: Some(value) }));
    }
    Some((memory, changes))
}

/// What is needed to open a backup, besides the passphrase.
struct Header {
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 24],
}

impl Header {
    fn new(cost: Cost) -> Self {
        Self { cost, salt: random(), nonce: random() }
    }

    fn bytes(&self) -> Vec<u8> {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let cost = [memory_kib, passes, lanes].map(u32::to_le_bytes).concat();
        [MAGIC.as_slice(), &[VERSION], &cost, &self.salt, &self.nonce].concat()
    }
}

fn check_header(header: &[u8]) -> Result<(), BackupError> {
    if !header.starts_with(MAGIC) {
        return Err(BackupError::Foreign);
    }
    if header[8] != VERSION {
        return Err(BackupError::Newer);
    }
    if cost_of(header).is_fair() { Ok(()) } else { Err(BackupError::Sealed) }
}

fn cost_of(header: &[u8]) -> Cost {
    let number = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    Cost { memory_kib: number(9), passes: number(13), lanes: number(17) }
}

fn nonce_of(header: &[u8]) -> [u8; 24] {
    std::array::from_fn(|at| header[37 + at])
}

fn check_passphrase(passphrase: &str) -> Result<(), PeopleError> {
    let is_long = passphrase.chars().count() >= PASSPHRASE_CHARS_MIN && !super::password::is_too_long(passphrase);
    if is_long { Ok(()) } else { Err(InputError::Passphrase.into()) }
}

/// The salt of codes for typing; made once per store, and restored with what it hashed.
pub(super) fn code_salt(store: &Store) -> Result<Vec<u8>, StoreError> {
    if let Some((_, salt)) = store.rows(Table::Meta, CODE_SALT)?.pop() {
        return Ok(salt);
    }
    let salt = random::<16>().to_vec();
    store.write(&[RowChange { table: Table::Meta, key: CODE_SALT.to_owned(), value: Some(salt.clone()) }])?;
    Ok(salt)
}
