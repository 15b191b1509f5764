# find_package(zq): targets zq::worker and zq::client, static, with what they are made of.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(OpenSSL COMPONENTS Crypto)
find_dependency(spdlog)
find_dependency(msgpack)
find_dependency(PkgConfig)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq)
include(${CMAKE_CURRENT_LIST_DIR}/zq-targets.cmake)
