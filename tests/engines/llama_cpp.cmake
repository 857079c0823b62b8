# How llama-cpp-python, which comes as source, is compiled in the least time: its model here has 50 thousand
# weights. Read where its project() stands; plain variables go before its own settings in the cache.
set(LLAMA_BUILD_COMMON OFF)
set(LLAVA_BUILD OFF)
set(CMAKE_BUILD_TYPE Debug)
set(CMAKE_C_FLAGS_DEBUG "-O0")
set(CMAKE_CXX_FLAGS_DEBUG "-O0")
# Most of the time goes into headers. More files at once would define things twice.
set(CMAKE_UNITY_BUILD ON)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
foreach(feature NATIVE OPENMP LLAMAFILE CPU_REPACK AVX AVX2 FMA F16C BMI2 SSE42)
  set(GGML_${feature} OFF)
endforeach()
