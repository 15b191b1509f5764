#include "tests/power/power_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <new>

#include "common/base/check.h"
#include "tests/power/interpose.h"

namespace zq::power {
namespace {

constexpr const char* kName = "unix-excl";
constexpr int kJournals = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;

std::atomic<Synchronous> synchronous = Synchronous::kAsShipped;
sqlite3_vfs* real_vfs = nullptr;

/// An open file; the real one's lies right behind it.
struct PowerFile {
    sqlite3_file base;
    Node node;             // 0: not of the disk
    bool folder_unsynced;  // the first sync of a journal syncs its folder too, as in os_unix.c
};
static_assert(sizeof(PowerFile) % alignof(sqlite3_int64) == 0);

PowerFile& ours(sqlite3_file* file) {
    return *reinterpret_cast<PowerFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(PowerFile));
}

/// True while calls are to go on to the real file.
bool alive() {
    return !disk().stopped();
}

int close_file(sqlite3_file* file) {
    return real(file)->pMethods->xClose(real(file));
}

int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
    if (!alive()) return SQLITE_IOERR_READ;
    return real(file)->pMethods->xRead(real(file), to, size, offset);
}

int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
    const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(size));
    const Node node = ours(file).node;
    if (node != 0 && !disk().write(node, static_cast<std::uint64_t>(offset), bytes)) {
        return SQLITE_IOERR_WRITE;
    }
    return real(file)->pMethods->xWrite(real(file), from, size, offset);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
    const Node node = ours(file).node;
    if (node != 0 && !disk().truncate(node, static_cast<std::uint64_t>(size))) {
        return SQLITE_IOERR_TRUNCATE;
    }
    return real(file)->pMethods->xTruncate(real(file), size);
}

int sync_file(sqlite3_file* file, int) {
    PowerFile& power = ours(file);
    if (power.node == 0) return SQLITE_OK;
    if (!alive()) return SQLITE_IOERR_FSYNC;
    disk().before_sync();
    if (!disk().sync(power.node)) return SQLITE_IOERR_FSYNC;
    if (power.folder_unsynced) {
        const std::string path = disk().path_of(power.node);
        if (!disk().sync_folder(path.substr(0, path.rfind('/')))) return SQLITE_IOERR_FSYNC;
        power.folder_unsynced = false;
    }
    return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
    if (!alive()) return SQLITE_IOERR_FSTAT;
    return real(file)->pMethods->xFileSize(real(file), size);
}

int lock_file(sqlite3_file* file, int level) {
    return real(file)->pMethods->xLock(real(file), level);
}
int unlock_file(sqlite3_file* file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}
int check_reserved(sqlite3_file* file, int* held) {
    return real(file)->pMethods->xCheckReservedLock(real(file), held);
}

int file_control(sqlite3_file* file, int op, void* argument) {
    if (op == SQLITE_FCNTL_PRAGMA && synchronous == Synchronous::kNormal) {
        char** words = static_cast<char**>(argument);
        const bool is_set = std::strcmp(words[1], "synchronous") == 0 && words[2] != nullptr;
        if (is_set && std::strcmp(words[2], "FULL") == 0) return SQLITE_OK;
    }
    return real(file)->pMethods->xFileControl(real(file), op, argument);
}

int sector_size(sqlite3_file* file) {
    return real(file)->pMethods->xSectorSize(real(file));
}
int device_characteristics(sqlite3_file* file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, at);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void fence_shared(sqlite3_file* file) {
    real(file)->pMethods->xShmBarrier(real(file));
}
int unmap_shared(sqlite3_file* file, int remove) {
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

constexpr sqlite3_io_methods kMethods = {2,
                                         close_file,
                                         read_file,
                                         write_file,
                                         truncate_file,
                                         sync_file,
                                         file_size,
                                         lock_file,
                                         unlock_file,
                                         check_reserved,
                                         file_control,
                                         sector_size,
                                         device_characteristics,
                                         map_shared,
                                         lock_shared,
                                         fence_shared,
                                         unmap_shared,
                                         nullptr,
                                         nullptr};  // no xFetch: version 2 does not map files

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    PowerFile& power = *new (file) PowerFile{};
    if (name != nullptr && disk().covers(name)) {
        const bool create = (flags & SQLITE_OPEN_CREATE) != 0;
        if (!disk().open(name, create, power.node)) return SQLITE_CANTOPEN;
        power.folder_unsynced = create && (flags & kJournals) != 0;
    }
    const int code = real_vfs->xOpen(real_vfs, name, real(file), flags, out_flags);
    if (real(file)->pMethods != nullptr) power.base.pMethods = &kMethods;
    return code;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_folder) {
    const std::string path = name;
    if (!disk().remove(path)) return SQLITE_IOERR_DELETE;
    const int code = real_vfs->xDelete(real_vfs, name, 0);
    if (code != SQLITE_OK || sync_folder == 0) return code;
    return disk().sync_folder(path.substr(0, path.rfind('/'))) ? SQLITE_OK : SQLITE_IOERR_DIR_FSYNC;
}

int give_randomness(sqlite3_vfs*, int size, char* out) {
    const std::string bytes = seeded_bytes(static_cast<std::size_t>(size));
    std::memcpy(out, bytes.data(), bytes.size());
    return size;
}

int set_level(sqlite3* connection, char**, const sqlite3_api_routines*) {
    if (synchronous != Synchronous::kNormal) return SQLITE_OK;
    return sqlite3_exec(connection, "PRAGMA synchronous = NORMAL", nullptr, nullptr, nullptr);
}

}  // namespace

void install_power_vfs() {
    if (real_vfs != nullptr) return;
    real_vfs = sqlite3_vfs_find(kName);
    ZQ_CHECK(real_vfs != nullptr);
    // Two with one name would be undefined: the real one steps aside, and is called from here.
    ZQ_CHECK(sqlite3_vfs_unregister(real_vfs) == SQLITE_OK);
    static sqlite3_vfs vfs = *real_vfs;
    vfs.pNext = nullptr;
    vfs.szOsFile = static_cast<int>(sizeof(PowerFile)) + real_vfs->szOsFile;
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xRandomness = give_randomness;
    ZQ_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
    using Entry = void (*)();
    ZQ_CHECK(sqlite3_auto_extension(reinterpret_cast<Entry>(&set_level)) == SQLITE_OK);
}

void force_synchronous(Synchronous level) {
    synchronous = level;
}

}  // namespace zq::power
