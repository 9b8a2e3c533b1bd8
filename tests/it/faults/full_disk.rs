//! The disk of ClickHouse is full, until somebody makes room. Only root may mount a small one.

use std::{
    fs::{self, Permissions},
    io::{ErrorKind, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{assert_exact, rig::Rig, sender::Story};

const PATIENCE: Duration = Duration::from_secs(120);

/// A stack's directory in which ClickHouse's data have a disk of their own.
struct SmallDisk {
    directory: TempDir,
    data: PathBuf,
}

impl SmallDisk {
    fn mount(size: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // PostgreSQL's user comes through here
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let data = directory.path().join("clickhouse/data");
        fs::create_dir_all(&data).unwrap();
        let size = format!("size={size}");
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&data));
        Self { directory, data }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Takes all the space that is left, and keeps it.
    fn fill(&self) -> PathBuf {
        let ballast = self.data.join("ballast");
        let mut file = fs::File::create(&ballast).unwrap();
        let block = vec![0; 64 * 1024];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return ballast,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.data).status();
    }
}

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long, and mounts a disk: make test-faults"]
async fn a_full_disk_is_waited_for_until_there_is_room() {
    let disk = SmallDisk::mount("800m");
    let mut rig = Rig::in_directory(Some(disk.path().to_owned())).await;
    let story = Arc::new(Story::new(211, 10_000));
    rig.start_member();
    rig.owned_by(1).await;
    let ballast = disk.fill();
    let sending = story.clone().send(rig.config.clone(), 15_000);
    let began = Instant::now();
    while !rig.log(1).contains("a batch cannot be finished") {
        assert!(began.elapsed() < PATIENCE, "no alarm: {}", rig.log(1));
        rig.wait(Duration::from_millis(200)).await;
    }
    assert!(rig.durable().await < story.len());
    fs::remove_file(ballast).unwrap();
    tokio::task::spawn_blocking(move || sending.join())
        .await
        .unwrap()
        .unwrap();
    rig.drained(story.len()).await;
    rig.stop_members();
    assert_exact(&rig, &story).await;
    // the servers end before their disk goes
    drop(rig);
}
