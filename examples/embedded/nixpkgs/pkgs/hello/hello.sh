#! @shell@
cat @data@/share/hello/greeting
