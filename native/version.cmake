# The version of the native parts is the project's: package.json has it. Included before project().
file(READ ${CMAKE_CURRENT_LIST_DIR}/../package.json package)
string(JSON VIGIE_VERSION GET "${package}" version)
# CMake's own has no words behind the numbers.
string(REGEX MATCH "^[0-9]+\\.[0-9]+\\.[0-9]+" VIGIE_VERSION_NUMBERS "${VIGIE_VERSION}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/../package.json)
