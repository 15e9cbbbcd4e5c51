/* libFuzzer target: all tiers' walk and payload over any bytes, no two may differ.
 *
 *     cmake -S tests/c -B <build> -DCMAKE_C_COMPILER=clang-14 -DSANITIZE=ON -DFUZZ=ON && cmake --build <build>
 *     <build>/fuzz_wire -dict=tests/c/fuzz_wire.dict -max_len=4096 -max_total_time=30 <corpus> tests/c/corpus */
#include "agreement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    agree_on(data, size);
    return 0;
}
