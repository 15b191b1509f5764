// One message of every type (some types more than once), as C++ values under stable names. They are
// what the golden vectors in *.txt say in bytes: the test compares both ways, and the printer makes
// the text of new ones. Values only; bytes are the codec's.
#pragma once

#include <string>
#include <vector>

#include "common/wire/codec.h"

namespace zq::vectors {

struct Sample {
    std::string name;
    wire::Message message;
};

/// HELLO to GOODBYE: vectors/worker.txt.
std::vector<Sample> worker_samples();
/// What clients write: vectors/client.txt.
std::vector<Sample> client_samples();
/// What clients read: vectors/reading.txt.
std::vector<Sample> reading_samples();
/// The part of them that is about the coordinator as a whole.
std::vector<Sample> cluster_samples();
/// Pauses and limits: vectors/control.txt.
std::vector<Sample> control_samples();
/// The artifacts socket: vectors/artifacts.txt.
std::vector<Sample> artifact_samples();

// Values that the samples share.

/// A worker's or pushed message: no client, and an epoch only where `epoch` is not 0.
wire::Header header(std::uint64_t id, std::uint32_t epoch = 0);
/// A client's request.
wire::Header request(std::uint64_t id);
/// A reply on the control socket.
wire::Header reply(std::uint64_t id, std::uint64_t seq = 0);
/// A digest whose bytes count up from `first`.
Digest digest_from(std::uint8_t first);
LeaseToken lease_number(std::uint32_t n);
wire::Hello labelled_hello();
wire::Beat draining_beat();
/// Only the required fields.
TaskSpec small_task();
/// Every field, none of them at its default.
TaskSpec full_task();
ArtifactRef context_file();
/// Open, with choices and a time.
Question open_question();
/// The same, answered.
Question answered_question();
/// One with every field of a result contract, and an input by reference.
TaskSpec contract_task();

}  // namespace zq::vectors
