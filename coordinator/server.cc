#include "coordinator/server.h"

#include "common/platform/clock.h"
#include "common/platform/files.h"
#include "common/platform/log.h"
#include "coordinator/artifact_server.h"
#include "coordinator/edge/zap.h"
#include "coordinator/loop.h"
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

core::Policy policy_of(const Options& options) {
    core::Policy policy;
    policy.lease = options.lease;
    policy.heartbeat = options.heartbeat;
    policy.max_open_tasks = options.max_open_tasks;
    policy.max_open_bytes = options.max_open_bytes;
    policy.max_open_per_client = options.max_open_per_client;
    policy.age_step = options.age_step;
    policy.role_limits = options.role_limits;
    policy.key_limits = options.key_limits;
    policy.unreferenced = options.unreferenced;
    policy.retention = options.retention;
    policy.role_retention = options.role_retention;
    return policy;
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

/// Everything that runs between the open journal and its closing.
class Service {
  public:
    Service(const Options& options, store::Journal& journal, Pipeline& pipeline,
            TrustedClock& clock, const edge::PayloadSchemas& payload_schemas)
        : options_(options),
          journal_(journal),
          pipeline_(pipeline),
          clock_(clock),
          payload_schemas_(payload_schemas) {}

    Result<void> run(const std::optional<KeyPair>& keys, int stop_fd);

  private:
    Result<void> open_sockets(const std::optional<KeyPair>& keys);
    Result<void> open_artifacts(const std::optional<KeyPair>& keys);
    std::vector<DoorPlace> door_places() const;
    Result<void> loop(int stop_fd);

    const Options& options_;
    store::Journal& journal_;
    Pipeline& pipeline_;
    TrustedClock& clock_;
    const edge::PayloadSchemas& payload_schemas_;
    edge::Self self_;
    edge::Counters counters_;
    SocketContext context_;
    std::unique_ptr<edge::ZapHandler> zap_;
    std::optional<Doors> doors_;
    std::vector<DoorPlace> places_;
    std::unique_ptr<store::Reader> reader_;
    std::unique_ptr<ArtifactServer> artifacts_;
};

Result<void> Service::run(const std::optional<KeyPair>& keys, int stop_fd) {
    self_ = {program_name(), pipeline_.state().durable.journal};
    auto reader = journal_.open_reader();
    if (!reader) return Failure(reader.error());
    reader_ = std::move(*reader);
    if (keys && !exposed_endpoint(options_).empty()) {
        auto zap = edge::ZapHandler::start(context_, KeyRegistry(options_.keys_folder()));
        if (!zap) return Failure(zap.error());
        zap_ = std::move(*zap);
    }
    if (auto ok = open_sockets(keys); !ok) return ok;
    if (auto ok = open_artifacts(keys); !ok) return ok;
    artifacts_->start();
    auto result = loop(stop_fd);
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
    auto doors = Doors::open(context_, {options_.artifacts_binds, keys, kArtifactsHighWater});
    if (!doors) return Failure(doors.error());
    for (std::size_t i = 0; i < doors_->size(); ++i) {
        const edge::Trust trust = doors_->at(i).trust;
        places_.push_back({trust, artifacts_place(*doors, trust, options_.advertise)});
    }
    log_info("listening", {{"control", join(*doors_)}, {"artifacts", join(*doors)}});
    artifacts_ = std::make_unique<ArtifactServer>(ArtifactServerParts{
        std::move(*doors), std::move(*store), std::move(*reader), counters_, self_,
        pipeline_.state().durable.epoch, pipeline_.policy().unreferenced});
    return {};
}

Result<void> Service::loop(int stop_fd) {
    BackupDesk backups(options_.data, self_.program);
    auto contents = store::FolderArtifactStore::at(options_.data + "/artifacts");
    RetentionDesk retention({pipeline_, *reader_, counters_, artifacts_->orders(), &backups});
    if (auto ok = retention.start(clock_.now()); !ok) return ok;
    Control control({pipeline_, *reader_, *doors_, counters_, artifacts_->results(), places_, self_,
                     KeyRegistry(options_.keys_folder()), clock_.now(), random_u64(), &backups,
                     contents.get(), &payload_schemas_, &retention});
    LoopParts parts{journal_,
                    pipeline_,
                    control,
                    *doors_,
                    artifacts_->requests(),
                    clock_,
                    stop_fd,
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

Result<void> serve(const Options& options, int stop_fd) {
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
        Service service(options, journal, pipeline, clock, *payload_schemas);
        if (auto ok = service.run(*keys, stop_fd); !ok) return ok;
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
