#include "coordinator/server.h"

#include "common/platform/clock.h"
#include "common/platform/files.h"
#include "common/platform/log.h"
#include "common/platform/process_limits.h"
#include "coordinator/artifact_server.h"
#include "coordinator/edge/zap.h"
#include "coordinator/loop.h"
#include "coordinator/reload.h"
#include "coordinator/retention_desk.h"
#include "coordinator/store/backup.h"
#include "coordinator/store/folder_artifact_store.h"
#include "coordinator/store/sqlite_journal.h"

namespace zq::coordinator {
namespace {

/// A reader may ask for so many chunks on one connection; more is not queued for it.
constexpr int kArtifactsHighWater = 64;

/// A supervisor starts the next coordinator as soon as the last one is killed, and a big process
/// takes a while to be gone.
constexpr Millis kLockPatience = seconds(3);

Result<std::optional<KeyPair>> load_keys(const Options& options) {
    auto keys = KeyRegistry(options.keys_folder()).server_keys();
    if (keys) return std::optional(std::move(*keys));
    if (keys.error().code == ErrorCode::NOT_FOUND) return std::optional<KeyPair>{};
    return Failure(keys.error());
}

/// The first endpoint that other machines reach; empty if there is none.
std::string exposed_endpoint(const Options& options) {
    for (const auto* endpoints : {&options.binds, &options.artifacts_binds}) {
        for (const std::string& endpoint : *endpoints) {
            if (!is_local_endpoint(endpoint)) return endpoint;
        }
    }
    return {};
}

Result<std::optional<KeyPair>> check_keys(const Options& options) {
    auto keys = load_keys(options);
    if (!keys) return keys;
    auto allowed = check_exposure(options, *keys ? ServerKeys::kPresent : ServerKeys::kMissing);
    if (!allowed) return Failure(allowed.error());
    const std::string exposed = exposed_endpoint(options);
    if (!*keys && !exposed.empty()) {
        log_warn("INSECURE: everyone who reaches these addresses may read and do everything",
                 {{"bind", exposed}});
    }
    return keys;
}

std::string join(const Doors& doors) {
    std::string text;
    for (std::size_t i = 0; i < doors.size(); ++i) {
        for (const std::string& endpoint : doors.at(i).endpoints) {
            text += (text.empty() ? "" : ",") + endpoint;
        }
    }
    return text;
}

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
    return text.empty() ? "nothing" : text;
}

/// Everything that runs between the open journal and its closing.
class Service {
  public:
    Service(const Options& options, const Surroundings& surroundings, store::Journal& journal,
            Pipeline& pipeline, TrustedClock& clock, const edge::PayloadSchemas& payload_schemas)
        : options_(options),
          surroundings_(surroundings),
          journal_(journal),
          pipeline_(pipeline),
          clock_(clock),
          payload_schemas_(payload_schemas) {}

    Result<void> run(const std::optional<KeyPair>& keys);

  private:
    Result<void> open_sockets(const std::optional<KeyPair>& keys);
    Result<void> open_artifacts(const std::optional<KeyPair>& keys);
    std::vector<DoorPlace> door_places() const;
    Result<void> loop(bool keyed);
    void read_settings_again(RetentionDesk& retention, Instant now);

    Options options_;
    const Surroundings& surroundings_;
    store::Journal& journal_;
    Pipeline& pipeline_;
    TrustedClock& clock_;
    const edge::PayloadSchemas& payload_schemas_;
    edge::Self self_;
    edge::Counters counters_;
    edge::KeyBook book_;
    edge::Possession shown_;
    SocketContext context_;
    std::unique_ptr<edge::ZapHandler> zap_;
    std::optional<Doors> doors_;
    std::vector<DoorPlace> places_;
    std::unique_ptr<store::Reader> reader_;
    std::unique_ptr<store::Reader> trailing_reader_;
    std::unique_ptr<ArtifactServer> artifacts_;
};

Result<void> Service::run(const std::optional<KeyPair>& keys) {
    self_ = {program_name(), pipeline_.state().durable.journal};
    auto reader = journal_.open_reader();
    if (!reader) return Failure(reader.error());
    reader_ = std::move(*reader);
    auto trailing = journal_.open_trailing_reader();
    if (!trailing) return Failure(trailing.error());
    trailing_reader_ = std::move(*trailing);
    if (keys && !exposed_endpoint(options_).empty()) {
        auto zap = edge::ZapHandler::start(context_, KeyRegistry(options_.keys_folder()), book_);
        if (!zap) return Failure(zap.error());
        zap_ = std::move(*zap);
    }
    if (auto ok = open_sockets(keys); !ok) return ok;
    if (auto ok = open_artifacts(keys); !ok) return ok;
    counters_.count("open_file_limit", open_file_limit());
    artifacts_->start();
    auto result = loop(keys.has_value());
    artifacts_->stop();
    return result;
}

Result<void> Service::open_sockets(const std::optional<KeyPair>& keys) {
    auto doors = Doors::open(context_, {options_.binds, keys});
    if (!doors) return Failure(doors.error());
    doors_ = std::move(*doors);
    return {};
}

Result<void> Service::open_artifacts(const std::optional<KeyPair>& keys) {
    store::FolderArtifactOptions folder;
    folder.folder = options_.data + "/artifacts";
    auto store = store::FolderArtifactStore::open(folder);
    if (!store) return Failure(store.error());
    auto reader = journal_.open_reader();
    if (!reader) return Failure(reader.error());
    auto trailing = journal_.open_trailing_reader();
    if (!trailing) return Failure(trailing.error());
    auto doors = Doors::open(context_, {options_.artifacts_binds, keys, kArtifactsHighWater});
    if (!doors) return Failure(doors.error());
    for (std::size_t i = 0; i < doors_->size(); ++i) {
        const edge::Trust trust = doors_->at(i).trust;
        places_.push_back({trust, artifacts_place(*doors, trust, options_.advertise)});
    }
    log_info("listening", {{"control", join(*doors_)}, {"artifacts", join(*doors)}});
    artifacts_ = std::make_unique<ArtifactServer>(ArtifactServerParts{
        std::move(*doors), std::move(*store), std::move(*reader), std::move(*trailing), counters_,
        book_, shown_, self_, pipeline_.state().durable.epoch, pipeline_.policy().unreferenced});
    return {};
}

/// A mistake in them leaves all as it is.
void Service::read_settings_again(RetentionDesk& retention, Instant now) {
    auto read = surroundings_.read_settings();
    if (!read) {
        return log_error("the settings were read again and are wrong: all stays as it was",
                         {{"error", read.error().message}});
    }
    Reload found = reload(options_, *read);
    options_ = std::move(found.options);
    static_cast<void>(set_log_level(options_.log_level));  // the options' own check let it pass
    pipeline_.change_policy(policy_of(options_), now);
    retention.note_policy(now);
    log_info("the settings were read again",
             {{"file", options_.config}, {"changed", listed(found.changed)}});
    if (found.needs_restart.empty()) return;
    log_warn("these settings hold from the next start on",
             {{"settings", listed(found.needs_restart)}});
}

Result<void> Service::loop(bool keyed) {
    BackupDesk backups(options_.data, self_.program);
    auto contents = store::FolderArtifactStore::at(options_.data + "/artifacts");
    RetentionDesk retention({pipeline_, *reader_, counters_, artifacts_->orders(), &backups});
    if (auto ok = retention.start(clock_.now()); !ok) return ok;
    AccessDesk access(pipeline_, KeyRegistry(options_.keys_folder()), book_);
    if (keyed) {
        if (auto ok = access.start(clock_.now()); !ok) return ok;
    }
    Control control({pipeline_, *reader_, *doors_, counters_, artifacts_->results(), places_, self_,
                     book_, shown_, clock_.now(), random_u64(), &backups, contents.get(),
                     &payload_schemas_, &retention, keyed ? &access : nullptr,
                     options_.artifact_secrets, trailing_reader_.get()});
    LoopParts parts{journal_,
                    pipeline_,
                    control,
                    *doors_,
                    counters_,
                    artifacts_->requests(),
                    clock_,
                    surroundings_.notifier,
                    [&](Instant now) {
                        read_settings_again(retention, now);
                        control.follow_keys(now, true);
                    },
                    surroundings_.signals,
                    access.changed_fd(),
                    zap_ ? zap_->ended_fd() : -1};
    return Loop(parts).run();
}

}  // namespace

Result<edge::PayloadSchemas> read_payload_schemas(const Options& options) {
    edge::PayloadSchemas schemas;
    for (const std::string& setting : options.payload_schemas) {
        const auto equals = setting.find('=');
        const std::string place = setting.substr(0, equals);
        const std::string path = setting.substr(equals + 1);
        auto text = read_file(path, limits::kSchemaBytes);
        auto added = text ? schemas.add(place, *text) : Result<void>(Failure(text.error()));
        if (!added) {
            return fail(ErrorCode::INVALID,
                        "payload_schemas: " + setting + ": " + added.error().message);
        }
    }
    return schemas;
}

std::string program_name() {
    return "zq-coordinator " ZQ_VERSION;
}

Result<void> serve(const Options& options, const Surroundings& surroundings) {
    auto keys = check_keys(options);
    if (!keys) return Failure(keys.error());
    auto payload_schemas = read_payload_schemas(options);
    if (!payload_schemas) return Failure(payload_schemas.error());
    if (store::is_backup(options.data)) {
        // It has the original's journal id: two coordinators would honour the same lease tokens.
        return fail(ErrorCode::CONFLICT, options.data +
                                             " is a backup: give it a folder and a life"
                                             " of its own by `zq backup restore`");
    }
    surroundings.notifier.status("reading the journal");
    store::SqliteJournalOptions journal_options;
    journal_options.folder = options.data;
    journal_options.lock_patience = kLockPatience;
    store::SqliteJournal journal(journal_options);
    Pipeline pipeline(journal, policy_of(options));
    auto recovery = pipeline.acquire();
    if (!recovery) return Failure(recovery.error());
    TrustedClock clock({boottime(), wall_time()}, recovery->last_at);
    if (auto ok = pipeline.open_epoch(clock.now(), program_name()); !ok) return ok;
    const core::Durable& durable = pipeline.state().durable;
    log_info("journal open", {{"data", options.data},
                              {"journal", to_hex(durable.journal)},
                              {"epoch", std::to_string(durable.epoch)},
                              {"last_seq", std::to_string(durable.last_seq)},
                              {"open_tasks", std::to_string(durable.open.size())},
                              {"chain_head", to_hex(pipeline.chain_head())}});
    {
        Service service(options, surroundings, journal, pipeline, clock, *payload_schemas);
        if (auto ok = service.run(*keys); !ok) return ok;
    }
    if (auto ok = journal.close(); !ok) return ok;
    if (pipeline.has_uncommitted()) {
        return fail(ErrorCode::STORAGE_FULL,
                    "ended on a full disk: what could not be committed was not acknowledged");
    }
    log_info("closed", {{"last_seq", std::to_string(pipeline.durable_seq())},
                        {"chain_head", to_hex(pipeline.chain_head())}});
    return {};
}

}  // namespace zq::coordinator
