//! The product's own words, each explained in three languages: states, reasons, warnings, and what to do.
//!
//! What is a closed set in the code is matched here, so that a new word does not compile until it is explained.
//! Warnings have names and no set; a test compares them with the guide.

use super::words::Text;
use crate::domain::words::{Channel, DeadReason, IdentifierKind, Removal};
use crate::service::health::Dependency;

pub(super) fn channel(channel: Channel) -> Text {
    match channel {
        Channel::Email => ["E-mail", "E-mail", "E-mail"],
        Channel::Sms => ["SMS", "SMS", "SMS"],
        Channel::Call => ["Calls", "Звон\u{ad}ки", "Қоңы\u{ad}рау"],
    }
}

pub(super) fn identifier(kind: IdentifierKind) -> Text {
    match kind {
        IdentifierKind::UserId => ["customer numbers", "номера клиентов", "клиент нөмірлері"],
        IdentifierKind::Email => ["e-mail addresses", "адреса e-mail", "e-mail мекенжайлары"],
        IdentifierKind::Phone => ["telephone numbers", "номера телефонов", "телефон нөмірлері"],
    }
}

pub(super) fn removal(reason: Removal) -> Text {
    match reason {
        Removal::Hold => [
            "Held while a claim is checked",
            "Заблоки\u{ad}рованы на время проверки",
            "Тексеру кезінде бұғатталған",
        ],
        Removal::OptOut => ["Opted out", "Отказались", "Бас тартқан"],
        Removal::Complaint => ["Complained of spam", "Пожаловались на спам", "Спамға шағымданған"],
        Removal::Bounce => {
            ["Undeliverable address", "Недостав\u{ad}ляемый адрес", "Жеткіз\u{ad}ілмейтін мекенжай"]
        }
        Removal::Unidentifiable => ["Cannot be checked", "Невозможно проверить", "Тексеру мүмкін емес"],
    }
}

/// What it is.
pub(super) fn dependency(dependency: Dependency) -> Text {
    match dependency {
        Dependency::Amqp => ["RabbitMQ", "RabbitMQ", "RabbitMQ"],
        Dependency::Redis => ["The list in Redis", "Список в Redis", "Redis-тегі тізім"],
        Dependency::Ledger => ["The ledger", "Журнал", "Журнал"],
        Dependency::Mirror => ["The list in memory", "Список в памяти", "Жадтағы тізім"],
        Dependency::Mailbox => ["The mailbox", "Почтовый ящик", "Пошта жәшігі"],
    }
}

/// What to do while it is not ready.
pub(super) fn remedy(dependency: Dependency) -> Text {
    match dependency {
        Dependency::Amqp => [
            "See that RabbitMQ runs, can be reached from this host, and is short of neither memory nor disk. The worker connects again by itself.",
            "Проверьте, что RabbitMQ работает, доступен с этой машины и не испытывает нехватки памяти и диска. Обработчик подключится сам.",
            "RabbitMQ жұмыс істеп тұрғанын, осы машинадан қолжетімді екенін, жад пен диск жеткілікті екенін тексеріңіз. Өңдеуші өзі қайта қосылады.",
        ],
        Dependency::Redis => [
            "See that Redis runs, can be reached from this host, has memory left and the policy `noeviction`. A list that was lost is filled from the ledger by itself.",
            "Проверьте, что Redis работает, доступен с этой машины, имеет свободную память и политику `noeviction`. Утраченный список заполнится из журнала сам.",
            "Redis жұмыс істеп тұрғанын, осы машинадан қолжетімді екенін, бос жады мен `noeviction` саясаты бар екенін тексеріңіз. Жоғалған тізім журналдан өзі толады.",
        ],
        Dependency::Ledger => [
            "Wait while it is being read. If it lacks what the list has, run `suppressd rebuild`.",
            "Подождите, пока он читается. Если в нём нет того, что есть в списке, выполните `suppressd rebuild`.",
            "Оқылып біткенше күтіңіз. Тізімде бары онда жоқ болса, `suppressd rebuild` орындаңыз.",
        ],
        Dependency::Mirror => [
            "Wait: the list is loaded from Redis, ten million identifiers in about ten seconds.",
            "Подождите: список загружается из Redis, десять миллионов идентификаторов примерно за десять секунд.",
            "Күтіңіз: тізім Redis-тен жүктелуде, он миллион сәйкестендіргіш шамамен он секундта.",
        ],
        Dependency::Mailbox => [
            "See that the mail server runs and that user and password are right. Mails wait in the mailbox; their time runs.",
            "Проверьте почтовый сервер, имя и пароль. Письма ждут в ящике, но их срок идёт.",
            "Пошта серверін, пайдаланушы мен құпиясөзді тексеріңіз. Хаттар жәшікте күтіп тұр, бірақ мерзімі жүріп жатыр.",
        ],
    }
}

/// What was wrong with a message.
pub(super) fn dead_reason(reason: DeadReason) -> Text {
    match reason {
        DeadReason::BadJson => ["Not JSON", "Не JSON", "JSON емес"],
        DeadReason::BadSchema => [
            "A member is missing or of the wrong type",
            "Поле отсутствует или неверного типа",
            "Өріс жоқ немесе түрі қате",
        ],
        DeadReason::TooLarge => ["Larger than a limit", "Превышен предел", "Шектен асқан"],
        DeadReason::UnknownChannel => ["Unknown channel", "Неизвестный канал", "Белгісіз арна"],
        DeadReason::UnknownBrand => ["Unknown brand", "Неизвестный бренд", "Белгісіз бренд"],
        DeadReason::UnknownRegion => [
            "Unknown or ambiguous region",
            "Неизвестный или неоднозначный регион",
            "Белгісіз немесе көпмағыналы өңір",
        ],
        DeadReason::PurposeNotAllowed => [
            "Purpose not allowed to this publisher",
            "Цель не разрешена этому издателю",
            "Бұл жариялаушыға мұндай мақсат рұқсат етілмеген",
        ],
        DeadReason::NotPermitted => {
            ["Source may not send this", "Источнику это не разрешено", "Дереккөзге бұған рұқсат жоқ"]
        }
        DeadReason::NoIdentifier => [
            "No readable identifier: a person may have asked, look at it",
            "Нет читаемого идентификатора: возможно, это просьба человека, посмотрите",
            "Оқылатын сәйкестендіргіш жоқ: бұл адамның өтініші болуы мүмкін, қараңыз",
        ],
        DeadReason::FutureDated => ["Dated in the future", "Дата в будущем", "Күні болашақта"],
        DeadReason::UnknownScope => [
            "Lifts for an unknown region, channel or brand",
            "Снимает запрет для неизвестного региона, канала или бренда",
            "Белгісіз өңір, арна немесе бренд үшін тыйымды алады",
        ],
        DeadReason::EventIdConflict => [
            "Event id used twice with different content",
            "Номер события использован дважды с разным содержимым",
            "Оқиға нөмірі мазмұны әртүрлі екі хабарламада қолданылған",
        ],
        DeadReason::UnsupportedEncoding => ["Unknown compression", "Неизвестное сжатие", "Белгісіз сығу"],
        DeadReason::BadEncoding => ["Does not unpack", "Не распаковывается", "Ашылмайды"],
        DeadReason::CrashedWorker => [
            "Workers ended while processing it: a mistake in suppressd",
            "Обработчики завершались на нём: ошибка в suppressd",
            "Өңдеушілер оны өңдегенде тоқтады: suppressd қатесі",
        ],
    }
}

/// What a warning means, and what to do; `None` for a name that is not in the guide.
pub(super) fn warning(name: &str) -> Option<&'static (Text, Text)> {
    WARNINGS.iter().find(|(known, _)| *known == name).map(|(_, texts)| texts)
}

/// The place of a warning among all: the most urgent first, and last what is not in the guide.
pub(super) fn urgency(name: &str) -> usize {
    WARNINGS.iter().position(|(known, _)| *known == name).unwrap_or(WARNINGS.len())
}

/// What somebody may be late with stands first.
pub(super) static WARNINGS: &[(&str, (Text, Text))] = &[
    (
        "requests_overdue",
        (
            ["Requests are overdue", "Есть просроченные обращения", "Мерзімі өткен өтініштер бар"],
            [
                "Settle them now: `suppressd requests --status overdue`",
                "Решите их сейчас: `suppressd requests --status overdue`",
                "Оларды қазір шешіңіз: `suppressd requests --status overdue`",
            ],
        ),
    ),
    (
        "requests_due_soon",
        (
            ["Requests are due soon", "Срок обращений скоро истекает", "Өтініштердің мерзімі таяп қалды"],
            [
                "Settle them: `suppressd requests --status review`",
                "Решите их: `suppressd requests --status review`",
                "Оларды шешіңіз: `suppressd requests --status review`",
            ],
        ),
    ),
    (
        "clock",
        (
            ["This machine’s clock is wrong", "Часы этой машины неверны", "Бұл машинаның сағаты қате"],
            [
                "Mend NTP. Until then this worker takes no opt-outs.",
                "Исправьте NTP. До этого обработчик не принимает отказы.",
                "NTP-ді түзетіңіз. Оған дейін өңдеуші бас тартуларды қабылдамайды.",
            ],
        ),
    ),
    (
        "unroutable_jobs",
        (
            [
                "Jobs wait that nobody takes",
                "Есть задания, которые никто не берёт",
                "Ешкім алмайтын тапсырмалар бар",
            ],
            [
                "Bind the sender’s queue to the exchange of filtered jobs; they go out within ten seconds.",
                "Привяжите очередь отправителя к обменнику отфильтрованных заданий: они уйдут за десять секунд.",
                "Жөнелтуші кезегін сүзілген тапсырмалар алмастырғышына байланыстырыңыз: олар он секундта кетеді.",
            ],
        ),
    ),
    (
        "configuration",
        (
            ["A connection without TLS", "Соединение без TLS", "TLS-сіз байланыс"],
            [
                "Use TLS, unless the network between is nobody else’s.",
                "Включите TLS, если сетью между ними пользуется кто-то ещё.",
                "Арадағы желіні басқалар да пайдаланса, TLS қосыңыз.",
            ],
        ),
    ),
    (
        "calendar",
        (
            [
                "The calendar of working days ends",
                "Календарь рабочих дней кончается",
                "Жұмыс күндерінің күнтізбесі бітіп барады",
            ],
            [
                "Add the next year to `[calendar]`, or confirm its days.",
                "Добавьте следующий год в `[calendar]` или подтвердите его дни.",
                "`[calendar]` бөліміне келесі жылды қосыңыз немесе күндерін растаңыз.",
            ],
        ),
    ),
    (
        "replicas",
        (
            [
                "A Redis failover may lose opt-outs",
                "При отказе Redis могут пропасть отказы",
                "Redis ауысқанда бас тартулар жоғалуы мүмкін",
            ],
            [
                "Set `redis.wait_replicas` to half of the servers, rounded down.",
                "Установите `redis.wait_replicas`: половина серверов с округлением вниз.",
                "`redis.wait_replicas` мәнін серверлердің жартысына (төмен дөңгелектеп) қойыңыз.",
            ],
        ),
    ),
    (
        "mailbox",
        (
            ["The mailbox is not read", "Почтовый ящик не читается", "Пошта жәшігі оқылмай тұр"],
            [
                "Mend what the detail names. Mails wait in the mailbox; their time runs.",
                "Исправьте указанное в подробностях. Письма ждут в ящике, но их срок идёт.",
                "Толығырақта аталғанды түзетіңіз. Хаттар жәшікте күтіп тұр, бірақ мерзімі жүріп жатыр.",
            ],
        ),
    ),
    (
        "mailbox_folders",
        (
            ["A folder of the mailbox is missing", "Нет одной из папок ящика", "Жәшіктің бір қалтасы жоқ"],
            [
                "Create it, or correct `mailbox.folders`.",
                "Создайте её или исправьте `mailbox.folders`.",
                "Оны жасаңыз немесе `mailbox.folders` түзетіңіз.",
            ],
        ),
    ),
    (
        "mailbox_marks",
        (
            [
                "The mail server keeps no marks",
                "Почтовый сервер не хранит пометки",
                "Пошта сервері белгілерді сақтамайды",
            ],
            [
                "Make room in the mailbox, or let the server keep keywords.",
                "Освободите место в ящике или разрешите серверу хранить ключевые слова.",
                "Жәшікте орын босатыңыз немесе серверге кілт сөздерді сақтауға рұқсат беріңіз.",
            ],
        ),
    ),
    (
        "mailbox_moves",
        (
            ["Mails are not moved", "Письма не перемещаются", "Хаттар жылжытылмайды"],
            [
                "Create the folder of `mailbox.move_to` or `mailbox.review_to`.",
                "Создайте папку из `mailbox.move_to` или `mailbox.review_to`.",
                "`mailbox.move_to` немесе `mailbox.review_to` қалтасын жасаңыз.",
            ],
        ),
    ),
    (
        "fold",
        (
            ["Another version keeps the list", "Список ведёт другая версия", "Тізімді басқа нұсқа жүргізеді"],
            [
                "Finish the upgrade, then run `suppressd rebuild`.",
                "Завершите обновление, затем выполните `suppressd rebuild`.",
                "Жаңартуды аяқтап, `suppressd rebuild` орындаңыз.",
            ],
        ),
    ),
];
