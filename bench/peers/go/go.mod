module tpdocker/bench

go 1.19
