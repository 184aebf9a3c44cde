from pcdet_kd.cli.playground import main

if __name__ == '__main__':
    raise SystemExit(main())
