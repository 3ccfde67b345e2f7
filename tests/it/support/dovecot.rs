//! A Dovecot of the test's own: one account, its mail in a Maildir, TLS with a certificate of an authority that the
//! test makes. It serves implicit TLS on one port and STARTTLS on another, as whoever runs the tests.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, UNIX_EPOCH};

use rustix::process::Signal;

use super::child::Kept;
use super::eventually::{SOON, eventually_blocking};
use super::ports::free_port;
use super::{certificates, leash};

/// The account's login.
pub(crate) const USER: &str = "info@lulla.kz";

/// The account's password.
pub(crate) const PASSWORD: &str = "mailbox-secret";

/// A mail server.
pub(crate) struct Dovecot {
    directory: PathBuf,
    port: u16,
    starttls_port: u16,
    server: Mutex<Option<Kept>>,
}

impl Dovecot {
    /// Starts a server that keeps everything below `parent`.
    pub(crate) fn start(parent: &Path) -> Self {
        Self::start_with(parent, "")
    }

    /// The same with more lines of configuration.
    pub(crate) fn start_with(parent: &Path, more: &str) -> Self {
        let (port, starttls_port) = (free_port(), free_port());
        let directory = parent.join(format!("dovecot-{port}"));
        for part in ["run", "home/Maildir"] {
            std::fs::create_dir_all(directory.join(part)).expect("a directory can be made");
        }
        let_in(&directory);
        certificates::make(&directory);
        std::fs::write(directory.join("password"), format!("{PASSWORD}\n")).expect("the directory is ours");
        let dovecot = Self { directory, port, starttls_port, server: Mutex::new(None) };
        dovecot.set_password(PASSWORD);
        dovecot.write_configuration(more);
        dovecot.start_again();
        if !more.contains("special_use = \\Junk") {
            dovecot.create("Junk");
        }
        dovecot
    }

    /// The `[mailbox]` section that leads here. Names that a test adds come after it.
    pub(crate) fn settings(&self) -> String {
        self.settings_on(self.port, "implicit")
    }

    /// The same with STARTTLS.
    pub(crate) fn settings_starttls(&self) -> String {
        self.settings_on(self.starttls_port, "starttls")
    }

    fn settings_on(&self, port: u16, tls: &str) -> String {
        let password = self.directory.join("password");
        std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600))
            .expect("the file is ours");
        format!(
            "[mailbox]\nhost = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nuser = \"{USER}\"\n\
             password_file = \"{}\"\nca_file = \"{}\"\nown_domains = [\"lulla.kz\"]\n\
             authserv_id = \"mx.lulla.kz\"\npoll_s = 5\n",
            password.display(),
            self.directory.join("ca.pem").display(),
        )
    }

    /// What the server accepts from now on.
    pub(crate) fn set_password(&self, password: &str) {
        std::fs::write(self.directory.join("users"), format!("{USER}:{{PLAIN}}{password}\n"))
            .expect("the directory is ours");
    }

    /// Puts a mail into a folder, as a delivery agent does: written aside, then put in place.
    pub(crate) fn deliver(&self, folder: &str, mail: &[u8]) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let maildir = self.maildir(folder);
        let name = format!("{:010}.test", 1_700_000_000 + COUNT.fetch_add(1, Ordering::Relaxed));
        let (aside, place) = (maildir.join("tmp").join(&name), maildir.join("new").join(&name));
        std::fs::File::create(&aside).and_then(|mut file| file.write_all(mail)).expect("the Maildir is ours");
        std::fs::rename(aside, place).expect("the Maildir is ours");
    }

    /// Puts a mail into a folder that came in 2001.
    pub(crate) fn deliver_old(&self, folder: &str, mail: &[u8]) {
        let name = "1000000000.old";
        let place = self.maildir(folder).join("new").join(name);
        let aside = self.maildir(folder).join("tmp").join(name);
        let mut file = std::fs::File::create(&aside).expect("the Maildir is ours");
        file.write_all(mail).expect("the Maildir is ours");
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000)).expect("the file is ours");
        std::fs::rename(aside, place).expect("the Maildir is ours");
    }

    /// Loses all that the server knows of its folders: it gives new UIDs, and forgets keywords.
    pub(crate) fn forget_everything(&self) {
        for folder in ["INBOX", "Junk"] {
            for entry in std::fs::read_dir(self.maildir(folder)).expect("the folder is there").flatten() {
                if entry.file_name().to_string_lossy().starts_with("dovecot") {
                    std::fs::remove_file(entry.path()).expect("the file is ours");
                }
            }
        }
    }

    /// Makes a folder, and waits until it is there.
    pub(crate) fn create(&self, folder: &str) {
        self.doveadm(&["mailbox", "create", folder]);
    }

    /// The mails of a folder: each with its flags and keywords.
    pub(crate) fn flags(&self, folder: &str) -> Vec<String> {
        let listed = self.doveadm(&["-f", "tab", "fetch", "flags", "mailbox", folder, "all"]);
        listed.lines().skip(1).map(ToOwned::to_owned).collect()
    }

    /// How many mails of a folder match a search of Dovecot's.
    pub(crate) fn count(&self, folder: &str, search: &[&str]) -> usize {
        let found = self.doveadm(&[&["search", "mailbox", folder], search].concat());
        found.lines().count()
    }

    /// Runs `doveadm COMMAND -u USER …`; its output.
    pub(crate) fn doveadm(&self, arguments: &[&str]) -> String {
        let options = usize::from(arguments[0] == "-f") * 2;
        let command = options + if arguments[options] == "mailbox" { 2 } else { 1 };
        let output = Command::new("doveadm")
            .arg("-c")
            .arg(self.configuration())
            .args(&arguments[..command])
            .args(["-u", USER])
            .args(&arguments[command..])
            .output()
            .expect("doveadm can be run");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "doveadm {arguments:?}: {told}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Kills it and all its processes, as a power cut would.
    pub(crate) fn kill9(&self) {
        self.lock().take();
    }

    /// Freezes it: connections stay, nothing answers.
    pub(crate) fn freeze(&self) {
        self.lock().as_mut().expect("Dovecot runs").signal(Signal::STOP);
    }

    /// Ends [`Dovecot::freeze`].
    pub(crate) fn thaw(&self) {
        self.lock().as_mut().expect("Dovecot runs").signal(Signal::CONT);
    }

    /// Starts it where it was.
    pub(crate) fn start_again(&self) {
        let mut command = Command::new("/usr/sbin/dovecot");
        command.arg("-F").arg("-c").arg(self.configuration());
        let mut server = Kept::start(command, &self.directory, "dovecot");
        eventually_blocking("Dovecot serves", SOON, || {
            let words = std::fs::read_to_string(self.directory.join("dovecot.err")).unwrap_or_default();
            assert!(server.try_status().is_none(), "Dovecot ended:\n{words}\n{}", self.log());
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
        *self.lock() = Some(server);
    }

    /// Stops it and starts it with more lines of configuration.
    pub(crate) fn restart_with(&self, more: &str) {
        self.kill9();
        self.write_configuration(more);
        self.start_again();
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("dovecot.log")).unwrap_or_default()
    }

    /// Where a folder is.
    pub(crate) fn maildir(&self, folder: &str) -> PathBuf {
        let maildir = self.directory.join("home/Maildir");
        if folder == "INBOX" { maildir } else { maildir.join(format!(".{folder}")) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.server.lock().expect("nobody panics while holding the server")
    }

    fn configuration(&self) -> PathBuf {
        self.directory.join("dovecot.conf")
    }

    fn write_configuration(&self, more: &str) {
        let here = self.directory.display();
        let (port, starttls_port) = (self.port, self.starttls_port);
        let Users { mail, group, internal, login } = Users::here();
        let mut text = String::new();
        write!(
            text,
            "base_dir = {here}/run\nstate_dir = {here}/run\nlog_path = {here}/dovecot.log\n\
             protocols = imap\nlisten = 127.0.0.1, ::1\n\
             default_internal_user = {internal}\ndefault_internal_group = {internal}\n\
             default_login_user = {login}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
             mail_uid = {mail}\nmail_gid = {group}\n\
             mail_home = {here}/home\nmail_location = maildir:{here}/home/Maildir\n\
             ssl = yes\nssl_cert = <{here}/server.pem\nssl_key = <{here}/server.key\nssl_dh =\n\
             disable_plaintext_auth = yes\nauth_mechanisms = plain login\nauth_failure_delay = 0\n\
             mail_max_userip_connections = 100\nmailbox_list_index = no\n\
             passdb {{\n driver = passwd-file\n args = scheme=PLAIN username_format=%u {here}/users\n}}\n\
             userdb {{\n driver = static\n args = uid={mail} gid={group} home={here}/home\n}}\n\
             namespace inbox {{\n inbox = yes\n}}\n\
             service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n\
             service imap-login {{\n chroot =\n inet_listener imap {{\n  port = {starttls_port}\n }}\n \
             inet_listener imaps {{\n  port = {port}\n  ssl = yes\n }}\n}}\n{more}\n"
        )
        .expect("a String takes text");
        std::fs::write(self.configuration(), text).expect("the directory is ours");
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// As whom the server's processes run.
struct Users {
    mail: String,
    group: String,
    internal: String,
    login: String,
}

impl Users {
    /// Dovecot refuses to handle mail as root, and takes only itself where nobody else can be had.
    fn here() -> Self {
        let name = |option| {
            let output = Command::new("id").arg(option).output().expect("id can be run");
            String::from_utf8(output.stdout).expect("a name is text").trim().to_owned()
        };
        let (me, group) = (name("-un"), name("-gn"));
        if me == "root" {
            let [mail, group, internal, login] =
                ["nobody", "nogroup", "dovecot", "dovenull"].map(str::to_owned);
            return Self { mail, group, internal, login };
        }
        Self { mail: me.clone(), group, internal: me.clone(), login: me }
    }
}

/// Whoever handles the mail must be able to come this far.
fn let_in(directory: &Path) {
    let ours = directory.ancestors().take_while(|above| above.starts_with(leash::root()));
    for above in ours {
        std::fs::set_permissions(above, std::fs::Permissions::from_mode(0o711))
            .expect("the directory is ours");
    }
    let users = Users::here();
    let home = directory.join("home");
    let owned =
        Command::new("chown").arg("-R").arg(format!("{}:{}", users.mail, users.group)).arg(home).status();
    assert!(owned.expect("chown can be run").success(), "the mail has its owner");
}
