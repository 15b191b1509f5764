// Every bound of the system, once. protocol.md prints the ones that a peer can meet; a test
// compares. Sizes in bytes unless the name says otherwise.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/time.h"

namespace zq::limits {

// Names and texts.
inline constexpr std::size_t kNameBytes = 64;
inline constexpr std::size_t kArtifactNameBytes = 255;
inline constexpr std::size_t kIdentityBytes = 128;
inline constexpr std::size_t kTypeBytes = 64;
inline constexpr std::size_t kFromBytes = 128;
inline constexpr std::size_t kReplyToBytes = 128;
inline constexpr std::size_t kKeyBytes = 256;  // idempotency key, unique key
inline constexpr std::size_t kTraceBytes = 128;
inline constexpr std::size_t kUriBytes = 4096;
inline constexpr std::size_t kMediaBytes = 128;
inline constexpr std::size_t kSummaryBytes = 1024;
inline constexpr std::size_t kReasonBytes = 4096;
inline constexpr std::size_t kInstructionsBytes = 256 * 1024;
inline constexpr std::size_t kPayloadBytes = 256 * 1024;
inline constexpr std::size_t kOutputValueBytes = 16 * 1024;
inline constexpr std::size_t kQuestionBytes = 4096;
inline constexpr std::size_t kChoiceBytes = 256;
inline constexpr std::size_t kAnswerBytes = 16 * 1024;

inline constexpr std::size_t kHeadingBytes = 256;

// Counts.
inline constexpr std::size_t kLabels = 32;
inline constexpr std::size_t kInputs = 64;
inline constexpr std::size_t kAfter = 10'000;  // that one task waits for, or that wait for one
inline constexpr std::size_t kExpected = 32;
inline constexpr std::size_t kRetryRules = 16;  // of one task
inline constexpr std::size_t kHeadings = 32;
inline constexpr std::size_t kArtifacts = 256;      // of one attempt
inline constexpr std::size_t kOutputs = 64;         // key=value pairs of one report
inline constexpr std::size_t kCheckpointsKept = 8;  // of one task
inline constexpr std::size_t kChoices = 16;         // of one question
inline constexpr std::size_t kQuestionsKept = 8;    // of one task
inline constexpr std::size_t kRolesPerWorker = 32;
inline constexpr std::uint32_t kSlots = 1024;
inline constexpr std::size_t kListRows = 1000;        // rows of one reply
inline constexpr std::size_t kListLooked = 1000;      // tasks that one LIST looks at
inline constexpr std::size_t kEventRows = 1000;       // events of one reply
inline constexpr std::size_t kEventsLooked = 10'000;  // sequence numbers that one EVENTS goes past
inline constexpr std::size_t kEventKinds = 64;        // named by one EVENTS
inline constexpr std::size_t kRollupNames = 500;      // told apart in one bucket of statistics
inline constexpr std::size_t kWaitTasks = 1000;       // tasks of one WAIT
inline constexpr std::size_t kLeasesListed = kSlots * 2;
inline constexpr std::size_t kOpenTasks = 2'000'000;
inline constexpr std::size_t kPolls = 10'000;       // parked at once
inline constexpr std::size_t kPollsPerClient = 64;  // of one identity and client instance
inline constexpr std::size_t kPollsPerKey = 5'000;  // of one key, whatever it calls itself
inline constexpr std::size_t kRequestsPerClient = 1'000;
inline constexpr std::size_t kRequests = 100'000;
inline constexpr std::size_t kRolesServed = 10'000;  // remembered names of roles
inline constexpr std::size_t kControls = 10'000;     // roles, limit keys and workers with controls
inline constexpr Millis kRotationGraceMax = days(30);   // an old key is known beside the new one
inline constexpr std::size_t kPermissions = 256;        // of one key
inline constexpr std::size_t kKeysHeld = 5'000;         // of them, limit keys that are only held
inline constexpr std::size_t kWorkerLabels = 64;        // of one worker, or that one task needs
inline constexpr std::uint32_t kRateCount = 1'000'000;  // of a rate: its count, its burst
inline constexpr std::uint32_t kDeferrals = 20;  // releases with "try later" that charge nothing

// The task envelope's numbers.
inline constexpr int kPriorityMax = 10;
inline constexpr int kPriorityDefault = 5;
inline constexpr std::uint32_t kAttemptsMax = 1000;
inline constexpr std::uint32_t kAttemptsDefault = 3;
inline constexpr std::uint32_t kLostDefault = 3;
inline constexpr std::uint64_t kBudgetMax = 1'000'000'000'000'000;  // a budget's numbers
inline constexpr Millis kLongest = days(3650);                      // any duration a peer may name
inline constexpr Millis kAgeStep = minutes(5);  // one priority step outweighs this much waiting

// Messages.
inline constexpr std::size_t kMessageBytes = 1024 * 1024;  // one frame
inline constexpr std::size_t kFrames = 12;           // of one message, return envelope included
inline constexpr std::size_t kEnvelopeBytes = 1024;  // the return envelope, routing id apart
inline constexpr std::size_t kPackDepth = 16;
inline constexpr std::size_t kPackItems = 16'384;       // of one array or map
inline constexpr std::size_t kInlineBytes = 16 * 1024;  // content that travels inside a message
inline constexpr std::size_t kInlineTotalBytes = 256 * 1024;
inline constexpr std::size_t kBatchTasks = 500;       // of one BATCH
inline constexpr std::size_t kBatchContents = 500;    // contents of one BATCH
inline constexpr std::size_t kBatchErrorBytes = 256;  // text of one task's refusal in it
inline constexpr std::size_t kChunkBytes = 256 * 1024;
inline constexpr std::size_t kChunkCredit = 8;  // chunks in flight at most
inline constexpr std::uint64_t kArtifactBytes = 1ULL << 40;
inline constexpr std::uint64_t kScannedBytes = 16ULL << 20;  // of an upload, for secrets
inline constexpr std::size_t kLogPieces = 64;                // of one LOG
inline constexpr std::size_t kLogPieceBytes = 16 * 1024;     // of one stream
inline constexpr std::size_t kLogKeptBytes = 512 * 1024;   // of one attempt: its head and its tail
inline constexpr std::size_t kLogsKeptBytes = 64UL << 20;  // of all attempts

// Result contracts.
inline constexpr std::size_t kSchemaBytes = 32 * 1024;
inline constexpr std::size_t kSchemaNodes = 2'000;  // schemas in a schema, each $ref replaced
inline constexpr std::size_t kSchemaDepth = 32;
inline constexpr std::uint64_t kSchemaSteps = 1'000'000;        // schema nodes times values
inline constexpr std::size_t kCheckedResultBytes = 256 * 1024;  // that the coordinator reads

// The loop and the journal.
inline constexpr std::size_t kTurnMessages = 32;       // taken from the sockets in one turn
inline constexpr std::size_t kBatchEvents = 1024;      // a batch of so many waits for no other
inline constexpr std::size_t kIntakeMessages = 4'096;  // read, not served yet: of one key or peer
inline constexpr std::size_t kIntakeBytesEach = 8UL << 20;
inline constexpr std::size_t kIntakeBytes = 64UL << 20;  // of all of them
inline constexpr std::size_t kUncommittedBatches = 2;
inline constexpr std::size_t kUncommittedBytes = 32 * 1024 * 1024;
inline constexpr std::size_t kTickItems = 1'000;

// Times.
inline constexpr Millis kLeaseDefault = seconds(60);
inline constexpr Millis kLeaseMin = seconds(1);
inline constexpr Millis kLeaseMax = days(7);  // for a claim by hand
inline constexpr Millis kHeartbeatDefault = seconds(10);
inline constexpr Millis kPollMax = seconds(30);
inline constexpr Millis kRequestMemory = minutes(15);
inline constexpr Millis kOrphanHold = minutes(30);
inline constexpr Millis kProgressJournalEvery = seconds(5);
inline constexpr Millis kRunAllowance = minutes(2);  // to end an attempt whose time is over
inline constexpr Millis kRateLimitMin = seconds(1);  // before the next attempt
inline constexpr Millis kRatePeriodMax = days(1);
inline constexpr Millis kKeyHeldMax = hours(1);  // by one task that was rate limited
inline constexpr Millis kStall = seconds(1);
inline constexpr Millis kHandshakeMax = seconds(5);   // of a peer that connects
inline constexpr Millis kTakesNothing = seconds(30);  // a peer that is sent something
inline constexpr Millis kStatsWindowMin = minutes(5);
inline constexpr Millis kStatsWindowMax = days(7);

}  // namespace zq::limits
