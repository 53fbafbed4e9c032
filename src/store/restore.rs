//! A copy of a store → the store, which stays beside it as it was. Nothing is touched before the copy was opened as a store of
//! this version.

use std::path::{Path, PathBuf};

use super::{Store, StoreAddress, StoreError, file};
use crate::owner_file::beside;

impl Store {
    /// Puts a copy in the place of a store in a file that no server serves; returns where the store of before is, if there was
    /// one.
    ///
    /// # Errors
    /// The copy is no store of this version or an older one, a server uses the store, or it is PostgreSQL, which has its own
    /// tools.
    pub async fn restore(copy: &Path, address: &StoreAddress) -> Result<Option<PathBuf>, StoreError> {
        let StoreAddress::File(path) = address else {
            return Err(StoreError::Refused(format!(
                "`{address}` is restored with PostgreSQL's own tools\nhint: `pg_restore --clean --dbname DATABASE FILE`"
            )));
        };
        file::create_folder_of(path)?;
        let _alone = file::lock(path)?;
        let kept = beside(path, "before-restore");
        if kept.exists() {
            return Err(StoreError::Refused(format!(
                "`{}` is there, of an earlier restore\nhint: move it elsewhere, or delete it",
                kept.display()
            )));
        }
        let new = beside(path, "restored");
        file::copy(copy, &new)?;
        if let Err(error) = Self::brought_up_to_date(&new).await {
            file::remove(&new);
            let text = error.to_string().replace(&new.display().to_string(), &copy.display().to_string());
            return Err(StoreError::Refused(text));
        }
        let was_there = path.exists();
        file::rename(path, &kept)?;
        file::rename(&new, path)?;
        Ok(was_there.then_some(kept))
    }

    /// Opens a file as a store, which makes its tables what this version needs.
    async fn brought_up_to_date(path: &Path) -> Result<(), StoreError> {
        let store = Self::open(&StoreAddress::File(path.to_owned())).await?;
        store.close().await;
        file::sync(path)
    }
}
